// Counts the process's allocations: the test program's own malloc and relatives count and pass on to the C library's.
#ifndef SLUICE_ALLOCATION_COUNT_H
#define SLUICE_ALLOCATION_COUNT_H

#include <stdbool.h>

/// Whether this build counts; a sanitizer has an allocator of its own.
bool allocation_count_is_on(void);
/// The calls so far, of every thread, that gave out memory.
long allocation_count(void);
/// The bytes that they asked for.
long allocation_bytes(void);

#endif
