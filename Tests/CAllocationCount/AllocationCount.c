#include "AllocationCount.h"
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(__GLIBC__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

static atomic_long count, bytes;

static void take(size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&bytes, (long)size, memory_order_relaxed);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    take(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    take(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    take(size);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    take(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory || size == 0 ? 0 : ENOMEM;
}

bool allocation_count_is_on(void) { return true; }
long allocation_count(void) { return atomic_load(&count); }
long allocation_bytes(void) { return atomic_load(&bytes); }

#else

bool allocation_count_is_on(void) { return false; }
long allocation_count(void) { return 0; }
long allocation_bytes(void) { return 0; }

#endif
