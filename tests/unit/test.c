// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_case *first_test;
static struct test_case **last_link = &first_test;
static const struct test_case *running_test;
static bool fork_tests = true;
static uint64_t seed;
static char directory[PATH_MAX];

void test_register(struct test_case *test) {
    *last_link = test;
    last_link = &test->next;
}

uint64_t test_seed(void) {
    return seed;
}

_Noreturn void test_fail(const char *file, int line, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "# %s:%d: %s\n", file, line, message);
    if (directory[0] != '\0') fprintf(stderr, "# its files are in %s\n", directory);
    fflush(stderr);
    if (!fork_tests) abort(); // stops in the debugger
    _exit(1);
}

const char *test_directory(void) {
    if (directory[0] != '\0') return directory;
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] == '\0') parent = "/tmp";
    snprintf(directory, sizeof directory, "%s/planck-%.60s-XXXXXX", parent, running_test->name);
    if (mkdtemp(directory) == NULL) {
        directory[0] = '\0';
        test_fail(__FILE__, __LINE__, "mkdtemp in %s: %s", parent, strerror(errno));
    }
    return directory;
}

static int remove_entry(const char *path, const struct stat *information, int kind,
                        struct FTW *walk) {
    return remove(path);
}

static void remove_directory(void) {
    if (directory[0] == '\0') return;
    if (nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "# %s cannot be removed: %s\n", directory, strerror(errno));
    directory[0] = '\0';
}

static void run_here(const struct test_case *test) {
    running_test = test;
    test->function();
    remove_directory();
}

// What a test prints must not mix with the TAP lines. A test ends by exit(), so that a leak check
// runs and counts.
_Noreturn static void run_in_child(const struct test_case *test) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    run_here(test);
    exit(0);
}

static bool run_forked(const struct test_case *test) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) run_in_child(test);
    int result = 0;
    if (child < 0 || waitpid(child, &result, 0) != child) {
        printf("# cannot run: %s\n", strerror(errno));
        return false;
    }
    if (WIFEXITED(result) && WEXITSTATUS(result) == 0) return true;
    if (WIFSIGNALED(result))
        printf("# killed by signal %d (%s)\n", WTERMSIG(result), strsignal(WTERMSIG(result)));
    else
        printf("# ended with status %d\n", WEXITSTATUS(result));
    printf("# TEST_SEED=%llu\n", (unsigned long long)seed);
    return false;
}

static bool run_test(const struct test_case *test) {
    if (fork_tests) return run_forked(test);
    run_here(test);
    return true;
}

static bool choose_seed(void) {
    const char *text = getenv("TEST_SEED");
    if (text == NULL || text[0] == '\0')
        return getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed;
    char *end = NULL;
    errno = 0;
    seed = strtoull(text, &end, 0);
    return errno == 0 && *end == '\0';
}

static bool is_chosen(const struct test_case *test, const char *pattern) {
    return pattern == NULL || strstr(test->name, pattern) != NULL;
}

static int count_chosen(const char *pattern) {
    int count = 0;
    for (const struct test_case *test = first_test; test != NULL; test = test->next)
        count += is_chosen(test, pattern);
    return count;
}

int main(int argc, char **argv) {
    const char *pattern = argc > 1 ? argv[1] : NULL;
    const char *no_fork = getenv("TEST_NO_FORK");
    fork_tests = no_fork == NULL || strcmp(no_fork, "1") != 0;
    if (!choose_seed()) {
        fprintf(stderr, "no seed: TEST_SEED must be a number\n");
        return 2;
    }
    int count = count_chosen(pattern);
    if (count == 0) {
        fprintf(stderr, "no test's name contains \"%s\"\n", pattern != NULL ? pattern : "");
        return 2;
    }
    printf("1..%d\n", count);
    int number = 0, failed = 0;
    for (const struct test_case *test = first_test; test != NULL; test = test->next) {
        if (!is_chosen(test, pattern)) continue;
        bool passed = run_test(test);
        failed += !passed;
        printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, test->name);
    }
    return failed == 0 ? 0 : 1;
}
