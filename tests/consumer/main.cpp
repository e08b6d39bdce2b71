// The same from C++: handles in unique_ptr, failures as exceptions.
#include <cstdio>
#include <memory>
#include <rnnkit/rnnkit.h>
#include <stdexcept>

namespace
{
struct Destroy {
    void operator()(rnnkit_context *context) const
    {
        rnnkit_context_destroy(context);
    }
};

std::unique_ptr<rnnkit_context, Destroy> open(const char *device)
{
    rnnkit_context *context = nullptr;
    if (rnnkit_context_create(device, "threads=1", &context) < 0)
        throw std::runtime_error(rnnkit_error_message());
    return std::unique_ptr<rnnkit_context, Destroy>(context);
}
} // namespace

int main()
{
    try {
        open("no such device");
        return 1;
    } catch (const std::runtime_error &error) {
        std::printf("as it should: %s\n", error.what());
    }
    std::printf("%s\n", rnnkit_context_device(open("cpu").get()));
    return 0;
}
