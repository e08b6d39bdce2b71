/* Optimisers: creating one, and a step over all parameters. Rules and defaults are torch.optim's;
 * docs/math/optimizers.md.
 */
#include "nn/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(rki_optimizer_settings, name)

static const rki_option rows[] = {
    {"lr", RKI_OPTION_NUMBER, FIELD(lr), 0, 1e6, "0", NULL, "0.1",
        "learning rate; 0: the rule's own, 0.001, for rmsprop and adagrad 0.01"},
    {"momentum", RKI_OPTION_NUMBER, FIELD(momentum), 0, 1, "0", NULL, "0.1",
        "share of the last update that is kept; sgd and rmsprop"},
    {"nesterov", RKI_OPTION_FLAG, FIELD(nesterov), 0, 1, "0", NULL, "0.1",
        "1: Nesterov's momentum; sgd"},
    {"beta1", RKI_OPTION_NUMBER, FIELD(beta1), 0, 0.9999999, "0.9", NULL, "0.1",
        "decay of the first moment; adam and adamw"},
    {"beta2", RKI_OPTION_NUMBER, FIELD(beta2), 0, 0.9999999, "0.999", NULL, "0.1",
        "decay of the second moment; adam and adamw"},
    {"alpha", RKI_OPTION_NUMBER, FIELD(alpha), 0, 0.9999999, "0.99", NULL, "0.1",
        "decay of the mean of squares; rmsprop"},
    {"epsilon", RKI_OPTION_NUMBER, FIELD(epsilon), 0, 1, "0", NULL, "0.1",
        "added to the divisor; 0: the rule's own, 1e-8, for adagrad 1e-10"},
    {"weight_decay", RKI_OPTION_NUMBER, FIELD(weight_decay), -1, 1e6, "-1", NULL, "0.1",
        "pull of the weights towards 0; -1: the rule's own, 0, for adamw 0.01"},
    {"clip_norm", RKI_OPTION_NUMBER, FIELD(clip_norm), 0, 1e30, "0", NULL, "0.1",
        "most that the gradients' global norm may be; 0: no limit"},
    {"clip_value", RKI_OPTION_NUMBER, FIELD(clip_value), 0, 1e30, "0", NULL, "0.1",
        "most that a gradient's size may be; 0: no limit"},
};
const rki_option_table rki_optimizer_options = {"optimizer", rows, sizeof rows / sizeof *rows};

typedef struct rule_row {
    const char *name;
    double lr, epsilon, weight_decay;
} rule_row;

/* In the order of rki_rule. */
static const rule_row rules[] = {
    {"sgd", 0.001, 1e-8, 0},
    {"adam", 0.001, 1e-8, 0},
    {"adamw", 0.001, 1e-8, 0.01},
    {"rmsprop", 0.01, 1e-8, 0},
    {"adagrad", 0.01, 1e-10, 0},
};

static int32_t find_rule(const char *name, rki_rule *out)
{
    RKI_TRY(rki_check_pointer(name, "rule"));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].name, name) != 0) continue;
        *out = (rki_rule)i;
        return RNNKIT_OK;
    }
    return rki_fail(
        RNNKIT_E_ARGUMENT, "rule is '%.40s', expected sgd, adam, adamw, rmsprop or adagrad", name);
}

/* Life. */

static int32_t fill_settings(rki_rule rule, const char *options, rki_optimizer_settings *settings)
{
    RKI_TRY(rki_options_parse(&rki_optimizer_options, options, settings));
    if (settings->lr == 0) settings->lr = rules[rule].lr;
    if (settings->epsilon == 0) settings->epsilon = rules[rule].epsilon;
    if (settings->weight_decay < 0) settings->weight_decay = rules[rule].weight_decay;
    if (settings->nesterov && (rule != RKI_SGD || settings->momentum == 0))
        return rki_fail(RNNKIT_E_OPTION, "option nesterov=1 needs rule sgd and a momentum above 0");
    return RNNKIT_OK;
}

static int32_t allocate_moments(rnnkit_optimizer *self, int64_t i)
{
    const rki_device *device = self->model->context->device;
    int64_t count = rki_shape_count(&self->model->parameters[i]->shape);
    int adam = self->rule == RKI_ADAM || self->rule == RKI_ADAMW;
    int first = adam || self->rule == RKI_ADAGRAD || self->settings.momentum > 0;
    int second = adam || self->rule == RKI_RMSPROP;
    if (first) RKI_TRY(rki_device_allocate(device, count, &self->moments[i].first));
    if (second) RKI_TRY(rki_device_allocate(device, count, &self->moments[i].second));
    return RNNKIT_OK;
}

static int32_t fill_moments(rnnkit_optimizer *self)
{
    void *block;
    RKI_TRY(rki_allocate(&self->model->context->memory, self->parameter_count, sizeof(rki_moments),
        "an optimizer's moments", &block));
    self->moments = block;
    for (int64_t i = 0; i < self->parameter_count; i++)
        RKI_TRY(allocate_moments(self, i));
    return RNNKIT_OK;
}

static int32_t create(
    rnnkit_model *model, const char *rule_name, const char *options, rnnkit_optimizer **out)
{
    rki_rule rule = RKI_SGD;
    rki_optimizer_settings settings;
    void *block;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_model_check_plain(model, "train it"));
    RKI_TRY(find_rule(rule_name, &rule));
    RKI_TRY(fill_settings(rule, options, &settings));
    RKI_TRY(
        rki_allocate(&model->context->memory, 1, sizeof(rnnkit_optimizer), "an optimizer", &block));
    rnnkit_optimizer *self = block;
    rki_object_init(&self->object, RKI_KIND_OPTIMIZER);
    self->model = model;
    self->rule = rule;
    self->settings = settings;
    self->rate = settings.lr;
    self->parameter_count = model->parameter_count;
    rki_model_retain(model);
    int32_t status = fill_moments(self);
    if (status < 0)
        rki_optimizer_release(self);
    else
        *out = self;
    return status;
}

int32_t rnnkit_optimizer_create(
    rnnkit_model *model, const char *rule, const char *options, rnnkit_optimizer **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, create(model, rule, options, out));
}

void rki_optimizer_release(rnnkit_optimizer *self)
{
    if (!rki_object_release(&self->object)) return;
    rnnkit_model *model = self->model;
    for (int64_t i = 0; self->moments != NULL && i < self->parameter_count; i++) {
        rki_device_release(model->context->device, self->moments[i].first);
        rki_device_release(model->context->device, self->moments[i].second);
    }
    rki_release(&model->context->memory, self->moments);
    rki_release(&model->context->memory, self);
    rki_model_release(model);
}

void rnnkit_optimizer_destroy(rnnkit_optimizer *optimizer)
{
    if (optimizer != NULL && rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer") >= 0)
        rki_optimizer_release(optimizer);
}

int32_t rki_setup_join(const rki_memory *memory, const char *word, const char *text, char **out)
{
    size_t size = strlen(word) + strlen(text) + 2;
    void *block;
    RKI_TRY(rki_allocate(memory, (int64_t)size, 1, "a setup", &block));
    snprintf(block, size, "%s %s", word, text);
    *out = block;
    return RNNKIT_OK;
}

int32_t rki_optimizer_setup(const rnnkit_optimizer *self, const rki_memory *memory, char **out)
{
    char *options;
    RKI_TRY(rki_options_format(&rki_optimizer_options, &self->settings, memory, &options));
    int32_t status = rki_setup_join(memory, rules[self->rule].name, options, out);
    rki_release(memory, options);
    return status;
}

/* A step. */

/* Adds up what `count` parameters have, in their order. */
static int32_t add_squares(
    const rki_device *device, int64_t count, const rki_square_sum *calls, double *sum)
{
    RKI_TRY(device->ops->square_sum(device->self, count, calls));
    for (int64_t i = 0; i < count; i++)
        *sum += *calls[i].sum;
    return RNNKIT_OK;
}

static int32_t measure_norm(rnnkit_optimizer *self)
{
    enum { TOGETHER = 32 };
    const rki_device *device = self->model->context->device;
    rki_square_sum calls[TOGETHER];
    double parts[TOGETHER], sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < self->parameter_count; i++) {
        const rki_parameter *parameter = self->model->parameters[i];
        rki_square_sum call = {.width = rki_parameter_width(parameter),
            .clip_value = self->settings.clip_value,
            .x = parameter->gradient,
            .sum = &parts[count]};
        call.rows = rki_parameter_touched(parameter, &call.row_count);
        if (call.row_count == 0) continue;
        calls[count++] = call;
        if (count < TOGETHER) continue;
        RKI_TRY(add_squares(device, count, calls, &sum));
        count = 0;
    }
    if (count > 0) RKI_TRY(add_squares(device, count, calls, &sum));
    self->norm = sqrt(sum);
    return RNNKIT_OK;
}

static int32_t clear_gradients(rnnkit_optimizer *self)
{
    for (int64_t i = 0; i < self->parameter_count; i++)
        RKI_TRY(rki_parameter_clear(self->model->context->device, self->model->parameters[i]));
    return RNNKIT_OK;
}

/* torch.nn.utils.clip_grad_norm_ has the same small number under the fraction. */
static double scale_of_gradient(const rnnkit_optimizer *self)
{
    double most = self->settings.clip_norm;
    double scale = most / (self->norm + 1e-6);
    return most > 0 && scale < 1 ? scale : 1;
}

static int32_t update_parameter(rnnkit_optimizer *self, int64_t i)
{
    const rki_device *device = self->model->context->device;
    const rki_optimizer_settings *settings = &self->settings;
    rki_parameter *parameter = self->model->parameters[i];
    rki_update call = {.rule = self->rule,
        .nesterov = settings->nesterov,
        .step = self->steps + 1,
        .rate = self->rate,
        .momentum = settings->momentum,
        .beta1 = settings->beta1,
        .beta2 = settings->beta2,
        .alpha = settings->alpha,
        .epsilon = settings->epsilon,
        .weight_decay = settings->weight_decay,
        .clip_value = settings->clip_value,
        .gradient_scale = scale_of_gradient(self),
        .width = rki_parameter_width(parameter),
        .value = parameter->value,
        .gradient = parameter->gradient,
        .first = self->moments[i].first,
        .second = self->moments[i].second};
    call.rows = rki_parameter_touched(parameter, &call.row_count);
    if (call.row_count == 0) return RNNKIT_OK;
    RKI_TRY(device->ops->update(device->self, &call));
    rki_parameter_untouch(parameter);
    return RNNKIT_OK;
}

static int32_t step(rnnkit_optimizer *self)
{
    if (self->model->parameter_count != self->parameter_count)
        return rki_fail(RNNKIT_E_ORDER,
            "the model got new parameters since: it has %lld, the optimizer knows %lld",
            (long long)self->model->parameter_count, (long long)self->parameter_count);
    RKI_TRY(measure_norm(self));
    if (!isfinite(self->norm)) {
        RKI_TRY(clear_gradients(self));
        return rki_fail(RNNKIT_E_DIVERGED,
            "the gradients' norm is not finite after %lld updates; the weights are as they were",
            (long long)self->steps);
    }
    for (int64_t i = 0; i < self->parameter_count; i++)
        RKI_TRY(update_parameter(self, i));
    self->steps++;
    return RNNKIT_OK;
}

int32_t rnnkit_optimizer_step(rnnkit_optimizer *optimizer)
{
    int32_t status = rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(optimizer->model->context, __func__, step(optimizer));
}

/* What it knows. */

static int32_t give_norm(const rnnkit_optimizer *optimizer, double *norm)
{
    RKI_TRY(rki_check_pointer(norm, "norm"));
    if (optimizer->steps == 0 && isfinite(optimizer->norm) && optimizer->norm == 0)
        return rki_fail(RNNKIT_E_ORDER, "there was no step yet");
    *norm = optimizer->norm;
    return RNNKIT_OK;
}

int32_t rnnkit_optimizer_gradient_norm(const rnnkit_optimizer *optimizer, double *norm)
{
    int32_t status = rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(optimizer->model->context, __func__, give_norm(optimizer, norm));
}

int32_t rnnkit_optimizer_learning_rate(const rnnkit_optimizer *optimizer, double *rate)
{
    int32_t status = rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer");
    if (status >= 0) status = rki_check_pointer(rate, "rate");
    if (status < 0) return rki_leave(NULL, __func__, status);
    *rate = optimizer->rate;
    return RNNKIT_OK;
}

int32_t rnnkit_optimizer_set_learning_rate(rnnkit_optimizer *optimizer, double rate)
{
    int32_t status = rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    if (!(rate >= 0 && isfinite(rate)))
        return rki_leave(optimizer->model->context, __func__,
            rki_fail(RNNKIT_E_ARGUMENT, "rate is %g, expected a finite number from 0 on", rate));
    optimizer->rate = rate;
    return RNNKIT_OK;
}
