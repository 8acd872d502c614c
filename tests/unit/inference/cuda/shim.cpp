// The block scheduler of shim.h. `KERNELS` includes every kernel file, each in a namespace of its own.
#include "shim.h"
#include KERNELS

static constexpr unsigned BLOCK = THREADS;
static constexpr size_t STACK_BYTES = 256 * 1024;

typedef void (*Kernel)(const void* record);

struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool waits = false;
};

static char anchor __attribute__((section("shared_memory"), used, aligned(16)));
extern "C" char __start_shared_memory[] __attribute__((visibility("hidden")));
extern "C" char __stop_shared_memory[] __attribute__((visibility("hidden")));

static std::vector<Fiber> fibers(BLOCK);
static std::vector<unsigned> order(BLOCK);
static ucontext_t scheduler;
static Kernel kernel;
static const void* record;
static unsigned current, started;

void __syncthreads() {
    unsigned fiber = current, thread = threadIdx.x;
    fibers[fiber].waits = true;
    swapcontext(&fibers[fiber].context, &scheduler);
    threadIdx.x = thread;
}

// A fiber runs threads that have not started yet, one after the other, until one of them waits.
static void work() {
    while (started < BLOCK) {
        threadIdx.x = order[started++];
        kernel(record);
    }
}

static void resume(unsigned fiber) {
    current = fiber;
    fibers[fiber].waits = false;
    swapcontext(&scheduler, &fibers[fiber].context);
}

static void start(unsigned fiber) {
    Fiber& made = fibers[fiber];
    if (!made.stack) made.stack.reset(new char[STACK_BYTES]);
    getcontext(&made.context);
    made.context.uc_stack.ss_sp = made.stack.get();
    made.context.uc_stack.ss_size = STACK_BYTES;
    made.context.uc_link = &scheduler;
    makecontext(&made.context, work, 0);
    resume(fiber);
}

static void choose_order(unsigned schedule, unsigned block) {
    unsigned random = schedule * 2654435761u + block;
    for (unsigned i = 0; i < BLOCK; i++) order[i] = schedule == 1 ? BLOCK - 1 - i : i;
    for (unsigned i = BLOCK - 1; schedule > 1 && i > 0; i--) {
        random = random * 1664525u + 1013904223u;
        std::swap(order[i], order[(random >> 8) % (i + 1)]);
    }
}

// Runs one block; false: some threads ended while others wait at a barrier.
static bool run_block() {
    unsigned used = 0;
    for (started = 0; started < BLOCK;) start(used++);
    for (;;) {
        unsigned waiting = 0;
        for (unsigned i = 0; i < used; i++) waiting += fibers[i].waits;
        if (waiting == 0) return true;
        if (waiting != BLOCK) return false;
        for (unsigned i = 0; i < used; i++) resume(order[i]);
    }
}

// schedule 0: threads forward; 1: backward; others: shuffled, blocks backward. Returns 0, or 1 for a barrier that threads miss.
extern "C" int launch(Kernel function, unsigned blocks, const void* argument, unsigned schedule) {
    kernel = function;
    record = argument;
    blockDim.x = BLOCK;
    for (unsigned i = 0; i < blocks; i++) {
        blockIdx.x = schedule == 0 ? i : blocks - 1 - i;
        choose_order(schedule, i);
        std::memset(__start_shared_memory, 0xFF, (size_t)(__stop_shared_memory - __start_shared_memory));
        if (!run_block()) return 1;
    }
    return 0;
}
