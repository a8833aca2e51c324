// Swift marks fork as unavailable; tests of what a child of fork may do need it.
#ifndef SLUICE_FORK_H
#define SLUICE_FORK_H

/// Makes a child that calls a function and ends with its result as the exit code. Returns the child's number, or -1.
int fork_child(int (*body)(void *), void *context);
/// The exit code of a child; -1, if it has not ended after so many milliseconds and was killed; -2, if a signal ended it.
int wait_for_child(int child, int milliseconds);

#endif
