/* Slots. See slot.cuh. */
#include "slot.cuh"

#include <string.h>

#include "device.cuh"

/* Whole pages, since pinning goes by pages and these must be nobody else's. */
enum { PAGE = 4096, LEAST = 16 * PAGE };

static void slot_free(rki_cuda *device, rki_cuda_slot *slot)
{
    if (slot->device != NULL) cudaFree(slot->device);
    if (slot->pinned != NULL) {
        cudaHostUnregister(slot->pinned);
        device->host.release(slot->pinned, device->host.user);
    }
    slot->device = slot->pinned = NULL;
    slot->capacity = 0;
}

static int32_t slot_grow(rki_cuda *device, rki_cuda_slot *slot, size_t bytes)
{
    size_t capacity = LEAST;
    while (capacity < bytes)
        capacity *= 2;
    slot_free(device, slot);
    char *block = static_cast<char *>(device->host.allocate(capacity, PAGE, device->host.user));
    if (block == NULL)
        return device->host.fail(RNNKIT_E_MEMORY,
            "cuda:%d: no host memory for %zu bytes on their way", device->index, capacity);
    int32_t status = rki_cuda_check(
        device, cudaHostRegister(block, capacity, cudaHostRegisterDefault), "pinning host memory");
    if (status < 0) {
        device->host.release(block, device->host.user);
        return status;
    }
    slot->pinned = block;
    RKI_TRY(rki_cuda_check(device, cudaMalloc(&slot->device, capacity), "allocating a slot"));
    slot->capacity = capacity;
    return RNNKIT_OK;
}

static int32_t event_open(rki_cuda *device, cudaEvent_t *event)
{
    return rki_cuda_check(
        device, cudaEventCreateWithFlags(event, cudaEventDisableTiming), "creating an event");
}

int32_t rki_cuda_slots_open(rki_cuda *device, rki_cuda_slots *slots, int size, int beside)
{
    pthread_mutex_init(&slots->lock, NULL);
    pthread_cond_init(&slots->given, NULL);
    slots->size = slots->count = size;
    if (beside)
        RKI_TRY(rki_cuda_check(device,
            cudaStreamCreateWithFlags(&slots->beside, cudaStreamNonBlocking), "creating a stream"));
    for (int i = 0; i < size; i++) {
        slots->free[i] = i;
        RKI_TRY(event_open(device, &slots->slot[i].done));
        if (beside) RKI_TRY(event_open(device, &slots->slot[i].sent));
        RKI_TRY(slot_grow(device, &slots->slot[i], 1));
    }
    return RNNKIT_OK;
}

void rki_cuda_slots_close(rki_cuda *device, rki_cuda_slots *slots)
{
    if (slots->size == 0) return; /* never opened */
    if (slots->beside != NULL) cudaStreamSynchronize(slots->beside);
    for (int i = 0; i < slots->size; i++) {
        slot_free(device, &slots->slot[i]);
        if (slots->slot[i].done != NULL) cudaEventDestroy(slots->slot[i].done);
        if (slots->slot[i].sent != NULL) cudaEventDestroy(slots->slot[i].sent);
    }
    if (slots->beside != NULL) cudaStreamDestroy(slots->beside);
    pthread_cond_destroy(&slots->given);
    pthread_mutex_destroy(&slots->lock);
}

static rki_cuda_slot *take_slot(rki_cuda_slots *slots)
{
    pthread_mutex_lock(&slots->lock);
    while (slots->count == 0)
        pthread_cond_wait(&slots->given, &slots->lock);
    int number = slots->free[slots->first];
    slots->first = (slots->first + 1) % slots->size;
    slots->count--;
    pthread_mutex_unlock(&slots->lock);
    return &slots->slot[number];
}

static void give_slot(rki_cuda_slots *slots, rki_cuda_slot *slot)
{
    pthread_mutex_lock(&slots->lock);
    slots->free[(slots->first + slots->count) % slots->size] = (int)(slot - slots->slot);
    slots->count++;
    pthread_cond_signal(&slots->given);
    pthread_mutex_unlock(&slots->lock);
}

rki_cuda_staging::rki_cuda_staging(rki_cuda *device) : rki_cuda_staging(device, &device->slots)
{
}

rki_cuda_staging::rki_cuda_staging(rki_cuda *device, rki_cuda_slots *slots)
    : device_(device), slots_(slots), slot_(NULL), from_(), sizes_(), offsets_(), total_(0),
      parts_(0)
{
}

rki_cuda_staging::~rki_cuda_staging()
{
    if (slot_ == NULL) return;
    rki_cuda_check(device_, cudaEventRecord(slot_->done, device_->stream), "recording an event");
    give_slot(slots_, slot_);
}

int rki_cuda_staging::add(const void *from, size_t bytes)
{
    from_[parts_] = from;
    sizes_[parts_] = bytes;
    offsets_[parts_] = total_;
    total_ += (bytes + 63) / 64 * 64;
    return parts_++;
}

int32_t rki_cuda_staging::take()
{
    slot_ = take_slot(slots_);
    RKI_TRY(rki_cuda_check(device_, cudaEventSynchronize(slot_->done), "waiting for a slot"));
    return slot_->capacity < total_ ? slot_grow(device_, slot_, total_) : RNNKIT_OK;
}

int32_t rki_cuda_staging::send(int last)
{
    cudaStream_t stream = slots_->beside != NULL ? slots_->beside : device_->stream;
    RKI_TRY(rki_cuda_check(device_,
        cudaMemcpyAsync(slot_->device, slot_->pinned, offsets_[last] + sizes_[last],
            cudaMemcpyHostToDevice, stream),
        "copying to the device"));
    if (slots_->beside == NULL) return RNNKIT_OK;
    RKI_TRY(rki_cuda_check(device_, cudaEventRecord(slot_->sent, stream), "recording an event"));
    return rki_cuda_check(
        device_, cudaStreamWaitEvent(device_->stream, slot_->sent, 0), "waiting for an event");
}

int32_t rki_cuda_staging::commit()
{
    int last = -1;
    RKI_TRY(take());
    for (int i = 0; i < parts_; i++) {
        if (from_[i] == NULL) continue;
        memcpy(slot_->pinned + offsets_[i], from_[i], sizes_[i]);
        last = i;
    }
    return last < 0 ? RNNKIT_OK : send(last);
}

int32_t rki_cuda_staging::fetch(int part)
{
    RKI_TRY(rki_cuda_check(device_,
        cudaMemcpyAsync(slot_->pinned + offsets_[part], slot_->device + offsets_[part],
            sizes_[part], cudaMemcpyDeviceToHost, device_->stream),
        "copying from the device"));
    return rki_cuda_check(
        device_, cudaEventRecord(slot_->done, device_->stream), "recording an event");
}

int32_t rki_cuda_staging::wait()
{
    return rki_cuda_check(device_, cudaEventSynchronize(slot_->done), "waiting for the device");
}
