// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/thread.h"
#include "test.h"

static void check_escaped(const char *input, size_t size, const char *expected) {
    struct buffer buffer = {0};
    CHECK_OK(log_escape(&buffer, bytes_of(input, size)));
    CHECK_BYTES(expected, buffer_bytes(&buffer));
    buffer_done(&buffer);
}

TEST(log_escape_makes_a_json_string) {
    check_escaped("plain", 5, "plain");
    check_escaped("a\"b\\c\n\t\r", 8, "a\\\"b\\\\c\\n\\t\\r");
    check_escaped("\0\x1f", 2, "\\u0000\\u001f");
    check_escaped("pizza \xc3\xa8 \xf0\x9f\x8d\x95", 13, "pizza \xc3\xa8 \xf0\x9f\x8d\x95");
}

TEST(log_escape_replaces_what_is_not_utf8) {
    check_escaped("\xff", 1, "\xef\xbf\xbd");
    check_escaped("\xc3", 1, "\xef\xbf\xbd");                                 // cut short
    check_escaped("\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd");                 // overlong
    check_escaped("\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // surrogate
    check_escaped("\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check_escaped("\xc3z", 2, "\xef\xbf\xbdz");
}

static int open_log(char path[300]) {
    snprintf(path, 300, "%s/log", test_directory());
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(descriptor >= 0);
    log_set_descriptor(descriptor);
    return descriptor;
}

static void read_log(const char *path, struct buffer *buffer) {
    CHECK_OK(file_read_all(file_system_posix(), path, 10000000, buffer, NULL));
    CHECK_OK(buffer_append(buffer, "", 1));
}

TEST(log_writes_one_json_line_at_or_above_its_level) {
    char path[300];
    int descriptor = open_log(path);
    log_set_level(LOG_WARN);
    log_info("wal", "not this one");
    log_debug("wal", "nor this one");
    log_warn("wal", "cut at \"%d\"", 12);
    log_set_level(LOG_DEBUG);
    log_debug("wal", "%s", "now");
    struct buffer text = {0};
    read_log(path, &text);
    const char *lines = (const char *)text.data;
    CHECK(strstr(lines, "this one") == NULL);
    CHECK(strstr(lines, "Z\", \"level\": \"warn\", \"scope\": \"wal\", "
                        "\"message\": \"cut at \\\"12\\\"\"}\n") != NULL);
    CHECK(strstr(lines, "\"level\": \"debug\"") != NULL);
    CHECK(strncmp(lines, "{\"time\": \"20", 12) == 0);
    buffer_done(&text);
    close(descriptor);
}

static void write_lines(void *context) {
    static char filler[2000];
    mutex_lock(context);
    if (filler[0] == '\0') memset(filler, 'x', sizeof filler - 1);
    mutex_unlock(context);
    for (int i = 0; i < 200; i++) log_error("test", "%s", filler);
}

TEST(log_lines_never_interleave) {
    char path[300];
    int descriptor = open_log(path);
    struct mutex mutex;
    mutex_init(&mutex);
    struct thread threads[3] = {0};
    for (int i = 0; i < 3; i++) CHECK_OK(thread_start(&threads[i], "log", write_lines, &mutex));
    for (int i = 0; i < 3; i++) thread_join(&threads[i]);
    mutex_done(&mutex);
    struct buffer text = {0};
    read_log(path, &text);
    int count = 0;
    for (char *line = strtok((char *)text.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        CHECK(strncmp(line, "{\"time\": \"", 10) == 0);
        CHECK(strcmp(line + strlen(line) - 2, "\"}") == 0);
        CHECK(strlen(line) > 2000 && strlen(line) < 2200);
        count++;
    }
    CHECK_EQUAL(600, count);
    buffer_done(&text);
    close(descriptor);
}
