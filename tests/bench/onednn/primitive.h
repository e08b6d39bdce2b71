/* Primitives of oneDNN, with what they read and write. Whatever fails ends the program with a message. */
#ifndef ONEDNN_PRIMITIVE_H
#define ONEDNN_PRIMITIVE_H

#include <stdint.h>

#include <dnnl.h>

typedef struct machine {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
} machine;

enum { MOST_ARGUMENTS = 32 };

typedef struct call {
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int count;
} call;

void must(dnnl_status_t status, const char *what);

machine machine_open(void);
void machine_wait(const machine *m);

dnnl_memory_desc_t describe(int rank, const int64_t *dims, dnnl_format_tag_t tag);
dnnl_memory_t hold(const machine *m, const_dnnl_memory_desc_t desc, void *values);

void give(call *to, int name, dnnl_memory_t memory);
void execute(const machine *m, const call *c);

/* How a primitive wants an argument to lie in memory; the argument that it was given; other values
 * in its place. */
const_dnnl_memory_desc_t wanted(const call *c, int name);
dnnl_memory_t argument_of(const call *c, int name);
void point(const call *c, int name, float *values);

/* A copy in another order. */
void reorder(const machine *m, dnnl_memory_t from, dnnl_memory_t to);

#endif
