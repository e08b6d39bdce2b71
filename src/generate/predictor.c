/* Embedding, recurrent layer and output layer, a token a step. See predictor.h. */
#include "generate/predictor.h"

static int32_t check_pair(const rki_layer *left, int64_t left_size, const char *left_what,
    const rki_layer *right, int64_t right_size, const char *right_what)
{
    if (left_size == right_size) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "%s of \"%s\" is %lld but %s of \"%s\" is %lld", left_what,
        left->name, (long long)left_size, right_what, right->name, (long long)right_size);
}

static int32_t check_layers(
    const rki_layer_handle *embedding, const rki_layer_handle *rnn, const rki_layer_handle *output)
{
    const rki_layer *e = embedding->layer, *r = rnn->layer, *o = output->layer;
    const rnnkit_context *context = rnn->model->context;
    if (embedding->model->context != context || output->model->context != context)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "embedding, rnn and output belong to different contexts");
    RKI_TRY(check_pair(e, e->sizes[1], "width", r, r->sizes[0], "inputs"));
    const rki_rnn_layer *layers = (const rki_rnn_layer *)r;
    RKI_TRY(rki_rnn_check_step(layers));
    RKI_TRY(check_pair(
        r, rki_rnn_outputs(layers, layers->layers - 1), "outputs", o, o->sizes[0], "inputs"));
    return check_pair(o, o->sizes[1], "outputs", e, e->sizes[0], "words");
}

static const rnnkit_context *context_of(const rki_predictor *predictor)
{
    return predictor->output_model->context;
}

static rki_gemm output_call(const rki_predictor *predictor)
{
    const rki_linear_layer *output = predictor->output;
    const rnnkit_state *state = predictor->state;
    int64_t hidden = output->layer.sizes[0];
    return (rki_gemm){.transpose_b = 1,
        .m = 1,
        .n = predictor->words,
        .k = hidden,
        .a = rki_state_output(state),
        .lda = hidden,
        .b = output->weight->value,
        .ldb = hidden,
        .bias = output->bias == NULL ? NULL : output->bias->value,
        .c = predictor->device_logits,
        .ldc = predictor->words,
        .scratch = predictor->scratch,
        .b_format = output->weight->format,
        .b_rows = predictor->words};
}

static int32_t allocate_arrays(rki_predictor *predictor)
{
    const rnnkit_context *context = context_of(predictor);
    const rki_device *device = context->device;
    void *logits;
    RKI_TRY(rki_device_allocate(device, predictor->words, &predictor->device_logits));
    rki_gemm call = output_call(predictor);
    size_t bytes = device->ops->gemm_scratch(device->self, &call);
    if (bytes > 0) RKI_TRY(device->ops->allocate(device->self, bytes, &predictor->scratch));
    RKI_TRY(rki_allocate(&context->memory, predictor->words, rki_dtype_size(device->dtype),
        "logits", &predictor->downloaded));
    RKI_TRY(rki_allocate(&context->memory, predictor->words, sizeof(double), "logits", &logits));
    predictor->logits = logits;
    return RNNKIT_OK;
}

int32_t rki_predictor_init(rki_predictor *predictor, const rnnkit_embedding *embedding,
    const rnnkit_rnn *rnn, const rnnkit_linear *output)
{
    RKI_TRY(check_layers(&embedding->handle, &rnn->handle, &output->handle));
    predictor->embedding = rki_embedding_of(embedding);
    predictor->output = rki_linear_of(output);
    predictor->words = predictor->output->layer.sizes[1];
    predictor->embedding_model = embedding->handle.model;
    rki_model_retain(predictor->embedding_model);
    predictor->output_model = output->handle.model;
    rki_model_retain(predictor->output_model);
    RKI_TRY(rki_state_new(rnn->handle.model, rki_rnn_of(rnn), 1, &predictor->state));
    return allocate_arrays(predictor);
}

void rki_predictor_free(rki_predictor *predictor)
{
    if (predictor->output_model == NULL) return;
    const rnnkit_context *context = context_of(predictor);
    rki_device_release(context->device, predictor->device_logits);
    rki_device_release(context->device, predictor->scratch);
    rki_release(&context->memory, predictor->downloaded);
    rki_release(&context->memory, predictor->logits);
    if (predictor->state != NULL) rki_state_release(predictor->state);
    rki_model_release(predictor->embedding_model);
    rki_model_release(predictor->output_model);
}

static int32_t step(rki_predictor *predictor, const int32_t *id)
{
    const rki_device *device = context_of(predictor)->device;
    rki_gather call = {.count = 1,
        .width = predictor->embedding->layer.sizes[1],
        .ids = id,
        .table = predictor->embedding->weight->value,
        .out = predictor->state->input,
        .format = predictor->embedding->weight->format,
        .rows = predictor->embedding->layer.sizes[0]};
    RKI_TRY(device->ops->gather(device->self, &call));
    return rki_state_step(predictor->state);
}

static int32_t predict(rki_predictor *predictor)
{
    const rki_device *device = context_of(predictor)->device;
    rki_gemm call = output_call(predictor);
    RKI_TRY(device->ops->gemm(device->self, &call));
    RKI_TRY(device->ops->download(device->self, predictor->downloaded, predictor->device_logits,
        rki_device_bytes(device, predictor->words)));
    const float *narrow = predictor->downloaded;
    const double *wide = predictor->downloaded;
    for (int64_t i = 0; i < predictor->words; i++)
        predictor->logits[i] = device->dtype == RKI_FLOAT64 ? wide[i] : (double)narrow[i];
    return RNNKIT_OK;
}

int32_t rki_predictor_feed(rki_predictor *predictor, const int32_t *ids, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        RKI_TRY(step(predictor, &ids[i]));
    return predict(predictor);
}
