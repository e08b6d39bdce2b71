/* Gradients of attention, against central differences: both scores, masks, heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradient.h"

typedef struct attention {
    rki_attention_forward forward;
    rki_attention_backward query;
    rki_attention_source source;
    const double *dcontext, *dweights;
    int64_t contexts, weights;
} attention;

static double attention_loss(void *problem)
{
    attention *p = problem;
    assert_int_equal(ops->attention_forward(device, &p->forward), 0);
    return dot(p->dcontext, p->forward.context, p->contexts) +
           dot(p->dweights, p->forward.weights, p->weights);
}

static void attention_backward(void *problem)
{
    attention *p = problem;
    assert_int_equal(ops->attention_backward(device, &p->query), 0);
    assert_int_equal(ops->attention_source(device, &p->source), 0);
}

static void check(const char *name, rki_attention a)
{
    a.ldq = a.ldkeys = a.width;
    a.ldvalues = a.value_width;
    int64_t q = a.queries * a.batch * a.width, keys = a.positions * a.batch * a.width;
    int64_t values = a.positions * a.batch * a.value_width;
    variable v[] = {{"q", randoms(q, 1), zeros(q), q},
        {"keys", randoms(keys, 1), zeros(keys), keys},
        {"values", randoms(values, 1), zeros(values), values},
        {"v", randoms(a.width, 1), zeros(a.width), a.width}};
    int additive = a.score == RKI_SCORE_ADDITIVE;
    a.q = v[0].values;
    a.keys = v[1].values;
    a.values = v[2].values;
    a.v = additive ? v[3].values : NULL;
    attention p = {.contexts = a.queries * a.batch * a.value_width,
        .weights = a.heads * a.queries * a.batch * a.positions};
    p.dcontext = randoms(p.contexts, 1);
    p.dweights = randoms(p.weights, 1);
    p.forward = (rki_attention_forward){a, zeros(p.weights), zeros(p.contexts)};
    p.query = (rki_attention_backward){
        a, p.forward.weights, p.dcontext, p.dweights, zeros(p.weights), v[0].gradient};
    p.source = (rki_attention_source){a, p.forward.weights, p.query.dscores, p.dcontext,
        v[1].gradient, v[2].gradient, additive ? v[3].gradient : NULL,
        bytes_of(ops->attention_source_scratch(device, &a))};
    gradient_check checked = {name, v, additive ? 4 : 3, &p, attention_loss, attention_backward};
    check_gradients(&checked);
}

static const int32_t lengths[] = {3, 1, 5}, query_lengths[] = {4, 0, 2};

static void test_dot(void **state)
{
    (void)state;
    check("dot", (rki_attention){.queries = 4,
                     .positions = 5,
                     .batch = 3,
                     .heads = 1,
                     .width = 3,
                     .value_width = 2,
                     .scale = 0.7});
    check("dot, masks", (rki_attention){.queries = 4,
                            .positions = 5,
                            .batch = 3,
                            .heads = 1,
                            .width = 3,
                            .value_width = 2,
                            .scale = 0.7,
                            .lengths = lengths,
                            .query_lengths = query_lengths});
    check("dot, causal, two heads", (rki_attention){.queries = 4,
                                        .positions = 5,
                                        .batch = 3,
                                        .heads = 2,
                                        .width = 4,
                                        .value_width = 6,
                                        .scale = 0.7,
                                        .lengths = lengths,
                                        .causal = 1});
}

static void test_additive(void **state)
{
    (void)state;
    rki_attention a = {.score = RKI_SCORE_ADDITIVE,
        .queries = 4,
        .positions = 5,
        .batch = 3,
        .heads = 1,
        .width = 3,
        .value_width = 2};
    check("additive", a);
    a.lengths = lengths;
    check("additive, lengths", a);
    a.query_lengths = query_lengths;
    a.causal = 1;
    a.heads = 2;
    a.width = 6;
    check("additive, all masks, two heads", a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_additive),
    };
    return cmocka_run_group_tests_name("gradients of attention", tests, open_device, close_device);
}
