#include "Fork.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int fork_child(int (*body)(void *), void *context) {
    pid_t child = fork();
    if (child == 0) _exit(body(context));
    return child;
}

int wait_for_child(int child, int milliseconds) {
    int status = 0;
    for (int waited = 0;; waited++) {
        if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
        if (waited >= milliseconds) break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}
