/* Slots: small blocks of pinned host memory, each with as much device memory, by which an
 * operation's int32 arrays go to the device, and its few numbers come back, without waiting.
 *
 * An operation takes a slot, fills it, queues its work and gives the slot back with an event
 * behind that work; who takes the slot next waits for the event. Slots are taken in turn, the one
 * that was given back first goes first. They grow to what was asked of them and then stay.
 *
 * A device has many slots for the arguments of operations, which go with the operations' stream, and
 * two for text that is trained on: what goes into one of them travels beside that stream, while
 * work on the other one runs.
 */
#ifndef RKI_CUDA_SLOT_CUH
#define RKI_CUDA_SLOT_CUH

#include <cuda_runtime.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { RKI_CUDA_SLOTS = 16, RKI_CUDA_TEXTS = 2, RKI_CUDA_PARTS = 6 };

struct rki_cuda;

struct rki_cuda_slot {
    char *pinned, *device;
    size_t capacity;
    cudaEvent_t done, sent;
};

struct rki_cuda_slots {
    rki_cuda_slot slot[RKI_CUDA_SLOTS];
    int size;                 /* slots in use */
    cudaStream_t beside;      /* by which their content travels; NULL: the device's */
    int free[RKI_CUDA_SLOTS]; /* a ring of those not taken */
    int first, count;
    pthread_mutex_t lock; /* guards the ring */
    pthread_cond_t given;
};

int32_t rki_cuda_slots_open(rki_cuda *device, rki_cuda_slots *slots, int size, int beside);
void rki_cuda_slots_close(rki_cuda *device, rki_cuda_slots *slots);

/* A slot in use, for as long as the object lives; the device's context is current. */
class rki_cuda_staging
{
  public:
    explicit rki_cuda_staging(rki_cuda *device); /* of the slots for arguments */
    rki_cuda_staging(rki_cuda *device, rki_cuda_slots *slots);
    ~rki_cuda_staging();
    rki_cuda_staging(const rki_cuda_staging &) = delete;
    rki_cuda_staging &operator=(const rki_cuda_staging &) = delete;

    /* Plans an array, or room for results when `from` is NULL; before commit(). */
    int add(const void *from, size_t bytes);
    /* Takes the slot: staged() is where a part waits to be filled. */
    int32_t take();
    template <typename T> T *staged(int part) const
    {
        return reinterpret_cast<T *>(slot_->pinned + offsets_[part]);
    }
    /* Queues the copy of the parts up to and including this one. */
    int32_t send(int last);
    /* The three in one: takes, fills in what was given to add(), sends. */
    int32_t commit();
    /* Where a planned array lies on the device. */
    template <typename T> T *at(int part) const
    {
        return reinterpret_cast<T *>(slot_->device + offsets_[part]);
    }
    /* Queues the way back of a part, and then waits for it; staged() is where it lies. */
    int32_t fetch(int part);
    int32_t wait();

  private:
    rki_cuda *device_;
    rki_cuda_slots *slots_;
    rki_cuda_slot *slot_;
    const void *from_[RKI_CUDA_PARTS];
    size_t sizes_[RKI_CUDA_PARTS], offsets_[RKI_CUDA_PARTS], total_;
    int parts_;
};

#endif
