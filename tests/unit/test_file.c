/* Files: mapped reading, reading in pieces, the replacing writer, and everything that can be in
 * its way.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "base/file.h"
#include "base/status.h"

static rki_memory memory;

static int32_t replace(const char *path, const void *bytes, size_t size)
{
    rki_writer *writer = NULL;
    RKI_TRY(rki_writer_open(&memory, path, &writer));
    int32_t status = rki_writer_write(writer, bytes, size);
    if (status == RNNKIT_OK) return rki_writer_commit(writer);
    rki_writer_abandon(writer);
    return status;
}

static void expect_content(const char *path, const char *text)
{
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    assert_non_null(bytes);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    free(bytes);
}

static void expect_message(const char *part)
{
    if (strstr(rki_message(), part) == NULL) fail_msg("\"%s\" lacks \"%s\"", rki_message(), part);
}

/* A folder of the test's own, empty. */
static const char *fresh_folder(const char *name)
{
    const char *path = scratch_path(name);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static void maps_whole_files(void **state)
{
    (void)state;
    rki_mapping mapping = {NULL, 7};
    const char *path = scratch_path("mapped");
    scratch_write(path, "abc", 3);
    assert_int_equal(rki_map_file(path, &mapping), RNNKIT_OK);
    assert_int_equal(mapping.size, 3);
    assert_memory_equal(mapping.data, "abc", 3);
    rki_unmap_file(&mapping);
    assert_null(mapping.data);

    scratch_write(path, "", 0);
    assert_int_equal(rki_map_file(path, &mapping), RNNKIT_OK);
    assert_null(mapping.data);
    assert_int_equal(mapping.size, 0);
    rki_unmap_file(&mapping);
}

static void names_what_cannot_be_mapped(void **state)
{
    (void)state;
    rki_mapping mapping = {NULL, 7};
    assert_int_equal(rki_map_file(scratch_path("missing"), &mapping), RNNKIT_E_IO);
    expect_message("missing: No such file or directory");
    assert_int_equal(rki_map_file(scratch_path(""), &mapping), RNNKIT_E_IO);
    expect_message("Is a directory");
    assert_int_equal(rki_map_file("/dev/null", &mapping), RNNKIT_E_IO);
    expect_message("/dev/null");
    assert_int_equal(rki_map_file("", &mapping), RNNKIT_E_IO);
    const char *pipe_path = scratch_path("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(rki_map_file(pipe_path, &mapping), RNNKIT_E_IO); /* and does not hang */
    assert_int_equal(mapping.size, 7);
}

static void long_paths_keep_the_reason(void **state)
{
    (void)state;
    char path[6000];
    rki_mapping mapping;
    for (size_t length = 4095; length < sizeof path; length += 700) {
        memset(path, 'x', length);
        for (size_t i = 0; i < length; i += 100)
            path[i] = '/';
        path[length] = '\0';
        assert_int_equal(rki_map_file(path, &mapping), RNNKIT_E_IO);
        expect_message(": ");
        assert_true(strlen(rki_message()) < 600);
        rki_writer *writer = NULL;
        assert_int_equal(rki_writer_open(&memory, path, &writer), RNNKIT_E_IO);
        assert_null(writer);
    }
    expect_message("File name too long");
}

/* Deep below the folder, in a path longer than any fixed buffer a program would use. */
static void writes_at_long_paths(void **state)
{
    (void)state;
    char path[4096];
    int used = snprintf(path, sizeof path, "%s", scratch_path("deep"));
    for (int i = 0; i < 14; i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        used += snprintf(path + used, sizeof path - (size_t)used, "/%0200d", i);
    }
    assert_int_equal(replace(path, "deep", 4), RNNKIT_OK);
    expect_content(path, "deep");
}

static int32_t collect(void *user, const char *piece, size_t size)
{
    FILE *file = user;
    assert_true(size > 0 && size <= 65536);
    assert_int_equal(fwrite(piece, 1, size, file), size);
    return RNNKIT_OK;
}

static int32_t stop(void *user, const char *piece, size_t size)
{
    (void)piece;
    (void)size;
    ++*(int *)user;
    return RNNKIT_STOPPED;
}

static void reads_files_and_pipes_in_pieces(void **state)
{
    (void)state;
    char text[100001], *got = NULL;
    size_t size = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 % 127);
    scratch_write(scratch_path("pieces"), text, sizeof text);
    FILE *sink = open_memstream(&got, &size);
    assert_int_equal(rki_read_pieces(scratch_path("pieces"), collect, sink), RNNKIT_OK);
    fclose(sink);
    assert_int_equal(size, sizeof text);
    assert_memory_equal(got, text, size);
    free(got);

    int ends[2];
    char name[32];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "through a pipe", 14), 14);
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    sink = open_memstream(&got, &size);
    assert_int_equal(rki_read_pieces(name, collect, sink), RNNKIT_OK);
    fclose(sink);
    close(ends[0]);
    assert_string_equal(got, "through a pipe");
    free(got);
}

static void reading_in_pieces_stops_and_fails(void **state)
{
    (void)state;
    int calls = 0;
    assert_int_equal(rki_read_pieces(scratch_path("pieces"), stop, &calls), RNNKIT_STOPPED);
    assert_int_equal(calls, 1);
    scratch_write(scratch_path("nothing"), "", 0);
    assert_int_equal(rki_read_pieces(scratch_path("nothing"), stop, &calls), RNNKIT_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(rki_read_pieces(scratch_path("missing"), stop, &calls), RNNKIT_E_IO);
    assert_int_equal(rki_read_pieces(scratch_path(""), stop, &calls), RNNKIT_E_IO);
    expect_message("Is a directory");
}

static void creates_with_the_umask_and_replaces_with_the_old_mode(void **state)
{
    (void)state;
    struct stat status;
    const char *path = scratch_path("modes");
    mode_t before = umask(027);
    assert_int_equal(replace(path, "one", 3), RNNKIT_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(replace(path, "two", 3), RNNKIT_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0604);
    umask(before);
    expect_content(path, "two");
}

static void writes_pieces_of_every_size(void **state)
{
    (void)state;
    enum { TOTAL = 300000 };
    static unsigned char bytes[TOTAL];
    const char *path = scratch_path("large");
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = (unsigned char)(i * 7 >> 3);
    static const size_t pieces[] = {1, 4095, 65535, 65536, 65537, TOTAL};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        rki_writer *writer = NULL;
        size_t size, place = 0;
        assert_int_equal(rki_writer_open(&memory, path, &writer), RNNKIT_OK);
        while (place < TOTAL) {
            size_t piece = pieces[k] < TOTAL - place ? pieces[k] : TOTAL - place;
            assert_int_equal(rki_writer_write(writer, bytes + place, piece), RNNKIT_OK);
            place += piece;
        }
        assert_int_equal(rki_writer_patch(writer, 1, "patched", 7), RNNKIT_OK);
        assert_int_equal(rki_writer_commit(writer), RNNKIT_OK);
        unsigned char *got = scratch_read(path, &size);
        assert_int_equal(size, TOTAL);
        assert_int_equal(got[0], bytes[0]);
        assert_memory_equal(got + 1, "patched", 7);
        assert_memory_equal(got + 8, bytes + 8, TOTAL - 8);
        free(got);
    }
}

static void nothing_shows_before_commit_or_after_abandon(void **state)
{
    (void)state;
    char path[1024];
    const char *folder = fresh_folder("quiet");
    snprintf(path, sizeof path, "%s/file", folder);
    rki_writer *writer = NULL;
    assert_int_equal(rki_writer_open(&memory, path, &writer), RNNKIT_OK);
    assert_int_equal(rki_writer_write(writer, "half", 4), RNNKIT_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    rki_writer_abandon(writer);
    rki_writer_abandon(NULL);
    assert_int_equal(scratch_count(folder), 0);

    assert_int_equal(replace(path, "old", 3), RNNKIT_OK);
    assert_int_equal(rki_writer_open(&memory, path, &writer), RNNKIT_OK);
    assert_int_equal(rki_writer_write(writer, "new", 3), RNNKIT_OK);
    expect_content(path, "old");
    rki_writer_abandon(writer);
    expect_content(path, "old");
    assert_int_equal(scratch_count(folder), 1);
}

static void follows_symbolic_links(void **state)
{
    (void)state;
    char target[1024], link_path[1024];
    struct stat status;
    snprintf(target, sizeof target, "%s/target", fresh_folder("linked"));
    snprintf(link_path, sizeof link_path, "%s", scratch_path("link"));
    assert_int_equal(symlink("linked/second", link_path), 0); /* relative, and to a link */
    assert_int_equal(symlink(target, scratch_path("linked/second")), 0);
    assert_int_equal(replace(link_path, "made", 4), RNNKIT_OK); /* where nothing was yet */
    assert_int_equal(replace(link_path, "via link", 8), RNNKIT_OK);
    expect_content(target, "via link");
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(scratch_count(scratch_path("linked")), 2);

    assert_int_equal(symlink("round", scratch_path("round")), 0);
    assert_int_equal(replace(scratch_path("round"), "x", 1), RNNKIT_E_IO);
    expect_message("symbolic links");
}

static void a_change_of_folder_does_no_harm(void **state)
{
    (void)state;
    char before[4096];
    rki_writer *writer = NULL;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch_path("")), 0);
    assert_int_equal(rki_writer_open(&memory, "relative", &writer), RNNKIT_OK);
    assert_int_equal(rki_writer_write(writer, "here", 4), RNNKIT_OK);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rki_writer_commit(writer), RNNKIT_OK);
    assert_int_equal(chdir(before), 0);
    expect_content(scratch_path("relative"), "here");
}

static void names_what_cannot_be_written(void **state)
{
    (void)state;
    char name[300];
    const char *folder = fresh_folder("refused");
    assert_int_equal(replace(folder, "x", 1), RNNKIT_E_IO);
    expect_message("Is a directory");
    assert_int_equal(replace(scratch_path("no/such/file"), "x", 1), RNNKIT_E_IO);
    expect_message("No such file or directory");
    assert_int_equal(replace(scratch_path("refused/new/"), "x", 1), RNNKIT_E_IO);
    assert_int_equal(replace(scratch_path("pieces/file"), "x", 1), RNNKIT_E_IO);
    expect_message("Not a directory");
    assert_int_equal(replace("", "x", 1), RNNKIT_E_IO);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(replace(scratch_path(name), "x", 1), RNNKIT_E_IO);
    expect_message("File name too long");
    assert_int_equal(replace(scratch_path("pipe"), "x", 1), RNNKIT_E_IO);
    expect_message("neither a regular file");
    assert_int_equal(scratch_count(folder), 0);
}

static void protected_files_and_folders_stay(void **state)
{
    (void)state;
    char path[1024];
    const char *folder = fresh_folder("locked");
    snprintf(path, sizeof path, "%s/file", folder);
    assert_int_equal(replace(path, "kept", 4), RNNKIT_OK);
    if (geteuid() == 0 && seteuid(65534) != 0) skip();
    if (geteuid() == 65534) { /* root may write anywhere, so be somebody else for a while */
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(chmod(scratch_path(""), 0755), 0);
        assert_int_equal(chown(folder, 65534, 65534), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    assert_int_equal(chmod(path, 0444), 0);
    int32_t of_file = replace(path, "lost", 4);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    int32_t of_folder = replace(path, "lost", 4);
    assert_int_equal(chmod(folder, 0311), 0); /* may be written, but not listed */
    int32_t unlisted = replace(path, "new", 3);
    assert_int_equal(chmod(folder, 0755), 0);
    if (getuid() == 0) assert_int_equal(seteuid(0), 0);
    assert_int_equal(of_file, RNNKIT_E_IO);
    assert_int_equal(of_folder, RNNKIT_E_IO);
    assert_int_equal(unlisted, RNNKIT_OK);
    expect_content(path, "new");
    assert_int_equal(scratch_count(folder), 1);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    char path[1024];
    static char zeros[200000];
    struct rlimit limit, small;
    const char *folder = fresh_folder("full");
    snprintf(path, sizeof path, "%s/file", folder);
    assert_int_equal(replace(path, "old", 3), RNNKIT_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int32_t large = replace(path, zeros, sizeof zeros);
    char large_message[600];
    snprintf(large_message, sizeof large_message, "%s", rki_message());
    /* A failed write must not be forgotten by commit. */
    rki_writer *writer = NULL;
    int32_t opened = rki_writer_open(&memory, path, &writer);
    int32_t written = rki_writer_write(writer, zeros, sizeof zeros);
    int32_t committed = rki_writer_commit(writer);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(large, RNNKIT_E_IO);
    assert_non_null(strstr(large_message, "File too large"));
    assert_int_equal(opened, RNNKIT_OK);
    assert_int_equal(written, RNNKIT_E_IO);
    assert_int_equal(committed, RNNKIT_E_IO);
    expect_content(path, "old");
    assert_int_equal(scratch_count(folder), 1);
}

static void devices_are_written_directly(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(replace("/dev/null", "x", 1), RNNKIT_OK);
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    assert_int_equal(replace("/dev/full", "x", 1), RNNKIT_E_IO);
    expect_message("/dev/full: No space left on device");
    assert_int_equal(stat("/dev/full", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char link_path[1024];
    snprintf(link_path, sizeof link_path, "%s", scratch_path("link"));
    failing_memory host = {0};
    rki_memory failing = {failing_allocate, failing_release, &host};
    for (host.fail_at = 1;; host.fail_at++) {
        rki_writer *writer = NULL;
        host.calls = 0;
        int32_t status = rki_writer_open(&failing, link_path, &writer);
        if (status == RNNKIT_OK) {
            rki_writer_abandon(writer);
            break;
        }
        assert_int_equal(status, RNNKIT_E_MEMORY);
        assert_null(writer);
        assert_int_equal(host.alive, 0);
    }
    assert_true(host.fail_at > 3);
    assert_int_equal(host.alive, 0);
}

int main(void)
{
    memory = rki_default_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_whole_files),
        cmocka_unit_test(names_what_cannot_be_mapped),
        cmocka_unit_test(long_paths_keep_the_reason),
        cmocka_unit_test(writes_at_long_paths),
        cmocka_unit_test(reads_files_and_pipes_in_pieces),
        cmocka_unit_test(reading_in_pieces_stops_and_fails),
        cmocka_unit_test(creates_with_the_umask_and_replaces_with_the_old_mode),
        cmocka_unit_test(writes_pieces_of_every_size),
        cmocka_unit_test(nothing_shows_before_commit_or_after_abandon),
        cmocka_unit_test(follows_symbolic_links),
        cmocka_unit_test(a_change_of_folder_does_no_harm),
        cmocka_unit_test(names_what_cannot_be_written),
        cmocka_unit_test(protected_files_and_folders_stay),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(devices_are_written_directly),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
