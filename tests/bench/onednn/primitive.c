/* Primitives. See primitive.h. */
#include "primitive.h"

#include <stdio.h>
#include <stdlib.h>

void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "onednn: %s: status %d\n", what, (int)status);
    exit(1);
}

machine machine_open(void)
{
    machine m;
    must(dnnl_engine_create(&m.engine, dnnl_cpu, 0), "engine");
    must(dnnl_stream_create(&m.stream, m.engine, dnnl_stream_default_flags), "stream");
    return m;
}

void machine_wait(const machine *m)
{
    must(dnnl_stream_wait(m->stream), "wait");
}

dnnl_memory_desc_t describe(int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t desc;
    must(dnnl_memory_desc_create_with_tag(&desc, rank, dims, dnnl_f32, tag), "description");
    return desc;
}

dnnl_memory_t hold(const machine *m, const_dnnl_memory_desc_t desc, void *values)
{
    dnnl_memory_t memory;
    must(dnnl_memory_create(&memory, desc, m->engine, values), "memory");
    return memory;
}

void give(call *to, int name, dnnl_memory_t memory)
{
    to->arguments[to->count++] = (dnnl_exec_arg_t){name, memory};
}

void execute(const machine *m, const call *c)
{
    must(dnnl_primitive_execute(c->primitive, m->stream, c->count, c->arguments), "execute");
}

const_dnnl_memory_desc_t wanted(const call *c, int name)
{
    return dnnl_primitive_desc_query_md(c->desc, dnnl_query_exec_arg_md, name);
}

dnnl_memory_t argument_of(const call *c, int name)
{
    for (int i = 0; i < c->count; i++)
        if (c->arguments[i].arg == name) return c->arguments[i].memory;
    return NULL;
}

void point(const call *c, int name, float *values)
{
    must(dnnl_memory_set_data_handle(argument_of(c, name), values), "point");
}

void reorder(const machine *m, dnnl_memory_t from, dnnl_memory_t to)
{
    const_dnnl_memory_desc_t source, target;
    call c = {0};
    must(dnnl_memory_get_memory_desc(from, &source), "description");
    must(dnnl_memory_get_memory_desc(to, &target), "description");
    must(dnnl_reorder_primitive_desc_create(&c.desc, source, m->engine, target, m->engine, NULL),
        "order");
    must(dnnl_primitive_create(&c.primitive, c.desc), "order");
    give(&c, DNNL_ARG_FROM, from);
    give(&c, DNNL_ARG_TO, to);
    execute(m, &c);
    machine_wait(m);
    dnnl_primitive_destroy(c.primitive);
    dnnl_primitive_desc_destroy(c.desc);
}
