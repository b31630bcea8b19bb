// SPDX-License-Identifier: Apache-2.0
// planctl zsx compile|format: files in, files out; the language itself is the library zsx/.
#include <stdio.h>

#include "base/file.h"
#include "planctl/verb.h"
#include "zsx/zsx.h"

enum { PATH_LIMIT = 4096 };

struct arguments {
    bool is_format;
    bool check; // format: only say what would change
    enum zsx_target target;
    const char *output; // directory or file; NULL: beside the source
    const char *path;
};

static int usage(FILE *stream) {
    fputs(
        "usage: planctl zsx compile FILE|DIR [-o FILE|DIR]\n"
        "       planctl zsx format FILE|DIR [--check] [--target c|zig]\n\n"
        "compile  writes NAME.c and NAME.zsx.h for NAME.zsx, beside it, in the directory after -o\n"
        "         (made when it is missing), or to the file after -o, which ends in .c\n"
        "format   lays out the markup anew, in place; --check changes nothing, and fails naming "
        "the\n"
        "         files that would change. --target says what language is around the markup: c\n\n"
        "A directory means the .zsx files in it, not those in directories below.\n",
        stream);
    return stream == stdout ? 0 : 2;
}

static int wrong(const char *text, const char *argument) {
    fprintf(stderr, "planctl zsx: %s%s\n", text, argument);
    return usage(stderr);
}

// -1 to go on, else the exit code.
static int parse(int count, char **values, struct arguments *ret) {
    *ret = (struct arguments){.target = ZSX_C};
    if (count < 2) return usage(stderr);
    if (strcmp(values[1], "--help") == 0) return usage(stdout);
    ret->is_format = strcmp(values[1], "format") == 0;
    if (!ret->is_format && strcmp(values[1], "compile") != 0)
        return wrong("there is no such command: ", values[1]);
    for (int i = 2; i < count; i++) {
        const char *value = values[i];
        if (strcmp(value, "--help") == 0) return usage(stdout);
        if (strcmp(value, "--check") == 0 && ret->is_format) {
            ret->check = true;
        } else if (strcmp(value, "-o") == 0 && !ret->is_format) {
            if (++i == count) return wrong("-o needs a path", "");
            ret->output = values[i];
        } else if (strcmp(value, "--target") == 0 && ret->is_format) {
            if (++i == count || (strcmp(values[i], "c") != 0 && strcmp(values[i], "zig") != 0))
                return wrong("--target is c or zig", "");
            ret->target = values[i][0] == 'c' ? ZSX_C : ZSX_ZIG;
        } else if (value[0] == '-' || ret->path != NULL) {
            return wrong("unexpected argument: ", value);
        } else {
            ret->path = value;
        }
    }
    return ret->path != NULL ? -1 : wrong("which file or directory?", "");
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool read_text(struct arena *arena, const char *path, struct bytes *ret,
                      struct error *error) {
    struct buffer buffer = {0};
    enum status status = file_read_all(file_system_posix(), path, ZSX_SIZE_MAX, &buffer, error);
    if (status == STATUS_OK) *ret = arena_copy(arena, buffer_bytes(&buffer));
    buffer_done(&buffer);
    return status == STATUS_OK && (ret->data != NULL || ret->size == 0);
}

// Imports stand relative to the file that names them.
static enum status import(const char *path, struct bytes name, struct bytes *ret, void *context) {
    char full[PATH_LIMIT];
    const char *slash = strrchr(path, '/');
    int directory = slash != NULL ? (int)(slash - path + 1) : 0;
    int size = snprintf(full, sizeof full, "%.*s%.*s", directory, path, (int)name.size,
                        (const char *)name.data);
    if (size < 0 || (size_t)size >= sizeof full) return STATUS_TOO_LARGE;
    struct error error = {0};
    return read_text(context, full, ret, &error) ? STATUS_OK
           : error.status != STATUS_OK           ? error.status
                                                 : STATUS_NO_MEMORY;
}

// False when there are mistakes, which are printed.
static bool explain(const struct zsx_file *file) {
    struct buffer text = {0};
    const struct zsx_diagnostic *diagnostic = zsx_diagnostics(file);
    for (; diagnostic != NULL; diagnostic = diagnostic->next)
        if (zsx_explain(file, diagnostic, &text) != STATUS_OK) break;
    if (text.size > 0) fwrite(text.data, 1, text.size, stderr);
    buffer_done(&text);
    return zsx_diagnostics(file) == NULL;
}

static int failed(const char *path, enum status status) {
    fprintf(stderr, "planctl zsx: %s: %s\n", path, status_text(status));
    return 1;
}

// Plain writing: generated files need no durability, but an unchanged one keeps its time stamp.
static int write_changed(const char *path, struct bytes text) {
    struct buffer old = {0};
    struct error error = {0};
    struct file_system *fs = file_system_posix();
    enum status status = file_read_all(fs, path, 16 * ZSX_SIZE_MAX, &old, NULL);
    bool same = status == STATUS_OK && bytes_equal(buffer_bytes(&old), text);
    buffer_done(&old);
    if (same) return 0;
    struct file *file;
    status = file_open(fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file, &error);
    if (status == STATUS_OK) {
        status = file_write_at(file, 0, text.data, text.size);
        file_close(file);
    }
    return status == STATUS_OK ? 0 : failed(path, status);
}

// `name` with another ending, in the output directory if there is one.
static bool output_path(const struct arguments *arguments, const char *path, bool to_file,
                        const char *ending, char ret[PATH_LIMIT]) {
    int size;
    if (to_file && arguments->output != NULL) {
        size = snprintf(ret, PATH_LIMIT, "%s", arguments->output);
        if (strcmp(ending, ".zsx.h") == 0 && ends_with(ret, ".c"))
            size = snprintf(ret, PATH_LIMIT, "%.*s.zsx.h", (int)strlen(arguments->output) - 2,
                            arguments->output);
    } else {
        const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
        if (arguments->output != NULL)
            size = snprintf(ret, PATH_LIMIT, "%s/%.*s%s", arguments->output,
                            (int)(strlen(name) - 4), name, ending);
        else
            size = snprintf(ret, PATH_LIMIT, "%.*s%s", (int)(strlen(path) - 4), path, ending);
    }
    return size > 0 && size < PATH_LIMIT;
}

static int compile(const struct arguments *arguments, struct zsx_file *file, const char *path,
                   bool to_file) {
    char output[PATH_LIMIT];
    struct buffer code = {0};
    enum status status = zsx_check(file);
    if (status != STATUS_OK) return failed(path, status);
    if (!explain(file)) return 1;
    int result = 0;
    status = zsx_emit(file, &code);
    if (status == STATUS_OK && output_path(arguments, path, to_file, ".c", output))
        result = write_changed(output, buffer_bytes(&code));
    buffer_clear(&code);
    const char *slash = strrchr(path, '/');
    if (status == STATUS_OK)
        status = zsx_emit_header(file, slash != NULL ? slash + 1 : path, &code);
    if (status == STATUS_OK && result == 0 &&
        output_path(arguments, path, to_file, ".zsx.h", output))
        result = write_changed(output, buffer_bytes(&code));
    buffer_done(&code);
    return status == STATUS_OK ? result : failed(path, status);
}

static int format(const struct arguments *arguments, struct zsx_file *file, const char *path,
                  struct bytes text) {
    if (!explain(file)) return 1;
    struct buffer laid_out = {0};
    int result = 0;
    enum status status = zsx_format(file, &laid_out);
    if (status != STATUS_OK) {
        result = failed(path, status);
    } else if (arguments->check && !bytes_equal(buffer_bytes(&laid_out), text)) {
        printf("%s\n", path);
        result = 1;
    } else if (!arguments->check) {
        result = write_changed(path, buffer_bytes(&laid_out));
    }
    buffer_done(&laid_out);
    return result;
}

// `to_file`: what is behind -o is a file.
static int run_file(const struct arguments *arguments, const char *path, bool to_file) {
    struct arena arena = {0};
    struct error error = {0};
    struct bytes text = {0};
    if (!ends_with(path, ".zsx")) return wrong("not a .zsx file: ", path);
    if (!read_text(&arena, path, &text, &error)) {
        fprintf(stderr, "planctl zsx: %s\n", error.message);
        arena_done(&arena);
        return 1;
    }
    struct zsx_options options = {
        .target = arguments->target, .path = path, .import = import, .context = &arena};
    struct zsx_file *file;
    enum status status = zsx_parse(&arena, &options, text, &file);
    int result = status != STATUS_OK    ? failed(path, status)
                 : arguments->is_format ? format(arguments, file, path, text)
                                        : compile(arguments, file, path, to_file);
    arena_done(&arena);
    return result;
}

struct directory {
    const struct arguments *arguments;
    int result;
    size_t count;
};

static enum status run_entry(const char *name, void *context) {
    struct directory *directory = context;
    char path[PATH_LIMIT];
    if (!ends_with(name, ".zsx")) return STATUS_OK;
    int size = snprintf(path, sizeof path, "%s/%s", directory->arguments->path, name);
    if (size < 0 || (size_t)size >= sizeof path) return STATUS_TOO_LARGE;
    directory->count++;
    int result = run_file(directory->arguments, path, false);
    if (result > directory->result) directory->result = result;
    return STATUS_OK;
}

int verb_zsx(int count, char **values) {
    struct arguments arguments;
    int done = parse(count, values, &arguments);
    if (done >= 0) return done;
    struct file_system *fs = file_system_posix();
    const char *output = arguments.output;
    bool to_file = output != NULL && ends_with(output, ".c");
    if (output != NULL && !to_file) {
        enum status made = file_make_directories(fs, output);
        if (made != STATUS_OK) return failed(output, made);
    }
    if (ends_with(arguments.path, ".zsx")) return run_file(&arguments, arguments.path, to_file);
    if (to_file) return wrong("a directory needs a directory after -o, not ", output);
    struct directory directory = {.arguments = &arguments};
    enum status status = fs->list(fs, arguments.path, run_entry, &directory);
    if (status != STATUS_OK) return failed(arguments.path, status);
    if (directory.count == 0) fprintf(stderr, "planctl zsx: no .zsx files in %s\n", arguments.path);
    return directory.count > 0 ? directory.result : 1;
}
