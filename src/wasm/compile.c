// SPDX-License-Identifier: Apache-2.0
#include "wasm/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "wasm/runtime.h"
#include "wasm/wasm.h"

#define ARTEFACT_SIZE_MAX (512 * MIB)
#define CHILD_SECONDS_MAX 300
#define CHILD_MEMORY_MAX (4 * GIB)

extern char **environ;

// ---- the parent ---------------------------------------------------------------------------------

// The module as a file descriptor that the child can read at its own pace.
static enum status open_input(struct bytes module, int *ret) {
    int descriptor = memfd_create("module", MFD_CLOEXEC);
    if (descriptor < 0) return STATUS_IO;
    for (size_t done = 0; done < module.size;) {
        ssize_t written = write(descriptor, module.data + done, module.size - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            close(descriptor);
            return STATUS_NO_MEMORY;
        }
        done += (size_t)written;
    }
    lseek(descriptor, 0, SEEK_SET);
    *ret = descriptor;
    return STATUS_OK;
}

static enum status spawn(const char *program, int input, int output, pid_t *ret) {
    char *arguments[] = {(char *)program, "--compile-module", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0) return STATUS_NO_MEMORY;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return STATUS_NO_MEMORY;
    }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    int failure = posix_spawn(ret, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure == 0 ? STATUS_OK : STATUS_IO;
}

static enum status read_output(int descriptor, struct buffer *ret) {
    struct clock *clock = clock_system();
    uint64_t end_ns = clock_monotonic_ns(clock) + COMPILE_TIMEOUT_MS * 1000000ULL;
    for (;;) {
        uint64_t now_ns = clock_monotonic_ns(clock);
        if (now_ns >= end_ns) return STATUS_TIMEOUT;
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        int ready = poll(&wait, 1, (int)((end_ns - now_ns) / 1000000 + 1));
        if (ready < 0 && errno != EINTR) return STATUS_IO;
        if (ready <= 0) continue;
        enum status status = buffer_reserve(ret, 256 * KIB);
        if (status != STATUS_OK) return status;
        ssize_t got = read(descriptor, ret->data + ret->size, ret->capacity - ret->size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return STATUS_IO;
        if (got == 0) return STATUS_OK;
        ret->size += (size_t)got;
        if (ret->size > ARTEFACT_SIZE_MAX) return STATUS_TOO_LARGE;
    }
}

static enum status judge(enum status reading, int exit_status, struct buffer *output,
                         struct error *error) {
    if (reading == STATUS_TIMEOUT)
        return error_set(error, reading, "module: compilation took too long");
    if (reading != STATUS_OK) return error_set(error, reading, "module: compilation failed");
    if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 0) return STATUS_OK;
    if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 1 && output->size > 0)
        return error_set(error, STATUS_INVALID, "%.*s", (int)output->size, (char *)output->data);
    if (WIFSIGNALED(exit_status))
        return error_set(error, STATUS_LIMIT, "module: the compiler was ended by signal %d",
                         WTERMSIG(exit_status));
    return error_set(error, STATUS_IO, "module: the compiler could not be run");
}

static enum status run_child(const char *program, int input, struct buffer *ret_artefact,
                             struct error *error) {
    int pipe_ends[2];
    pid_t child;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return error_set(error, STATUS_IO, "module: pipe: %m");
    enum status status = spawn(program, input, pipe_ends[1], &child);
    close(pipe_ends[1]);
    if (status != STATUS_OK) {
        close(pipe_ends[0]);
        return error_set(error, status, "module: %s cannot be run", program);
    }
    status = read_output(pipe_ends[0], ret_artefact);
    close(pipe_ends[0]);
    if (status != STATUS_OK) kill(child, SIGKILL);
    int exit_status = -1;
    while (waitpid(child, &exit_status, 0) < 0 && errno == EINTR) continue;
    return judge(status, exit_status, ret_artefact, error);
}

enum status compile_module(const char *program, struct bytes module, struct buffer *ret_artefact,
                           struct error *error) {
    int input;
    buffer_clear(ret_artefact);
    enum status status = open_input(module, &input);
    if (status != STATUS_OK) return error_set(error, status, "module: no memory");
    status = run_child(program != NULL ? program : "/proc/self/exe", input, ret_artefact, error);
    close(input);
    return status;
}

// ---- the child ----------------------------------------------------------------------------------

static void limit_child(void) {
    struct rlimit seconds = {CHILD_SECONDS_MAX, CHILD_SECONDS_MAX};
    struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &seconds);
    setrlimit(RLIMIT_CORE, &no_core);
#ifndef PLANCK_SANITIZED // sanitizers reserve far more
    struct rlimit memory = {CHILD_MEMORY_MAX, CHILD_MEMORY_MAX};
    setrlimit(RLIMIT_AS, &memory);
#endif
    if (nice(10) == -1) return; // only a courtesy
}

static enum status read_input(struct buffer *ret) {
    for (;;) {
        enum status status = buffer_reserve(ret, 1 * MIB);
        if (status != STATUS_OK) return status;
        ssize_t got = read(STDIN_FILENO, ret->data + ret->size, ret->capacity - ret->size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return STATUS_IO;
        if (got == 0) return STATUS_OK;
        ret->size += (size_t)got;
        if (ret->size > MODULE_SIZE_MAX) return STATUS_TOO_LARGE;
    }
}

static bool write_output(struct bytes bytes) {
    while (bytes.size > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.data += written;
        bytes.size -= (size_t)written;
    }
    return true;
}

int wasm_compile_main(void) {
    struct buffer module = {0}, artefact = {0};
    struct error error = {.message = "module: it cannot be read"};
    limit_child();
    enum status status = read_input(&module);
    if (status == STATUS_OK) status = code_compile(buffer_bytes(&module), &artefact, &error);
    bool written = write_output(status == STATUS_OK ? buffer_bytes(&artefact)
                                                    : bytes_of_string(error.message));
    buffer_done(&module);
    buffer_done(&artefact);
    return status != STATUS_OK ? 1 : written ? 0 : 2;
}
