/* A file of 100 MB to the server and back. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define SIZE 100000000
#define ROUNDS 5

static long over; /* transfers; under the lock of count() */

/* write_noise makes a file that no other round has, or the server would know it already. */
static void write_noise(const char *path, unsigned long long seed) {
    static unsigned long long block[1 << 14];
    FILE *f = fopen(path, "w");
    if (f == NULL) die(path, 0);
    for (long left = SIZE; left > 0; left -= (long)sizeof block) {
        for (size_t i = 0; i < sizeof block / sizeof *block; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            block[i] = seed;
        }
        fwrite(block, 1, left < (long)sizeof block ? (size_t)left : sizeof block, f);
    }
    if (fclose(f) != 0) die(path, 1);
}

static double upload(const char *peer, const char *path) {
    char message[2000];
    snprintf(message, sizeof message, "{\"message_elem_array\":[{\"elem_type\":4,\"file_elem_file_path\":\"%s\","
        "\"file_elem_file_name\":\"noise\"}]}", path);
    double start = now_us();
    return call("TIMMsgSendMessage", p_TIMMsgSendMessage(peer, kTIMConv_C2C, message, NULL, on_result, NULL), start);
}

static void on_transfer(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)json, (void)user_data;
    if (code != 0) die(desc, code);
    if (strcmp(desc, "downloading") != 0) count(&over, 1);
}

static double download(const char *id, const char *path, long round) {
    char ask[1000];
    snprintf(ask, sizeof ask, "{\"msg_download_elem_param_id\":\"%s\",\"msg_download_elem_param_type\":1}", id);
    double start = now_us();
    if (p_TIMMsgDownloadElemToPath(ask, path, on_transfer, NULL) != TIM_SUCC) die("TIMMsgDownloadElemToPath", 0);
    wait_until(&over, round);
    return now_us() - start;
}

static double copy(const char *from, const char *to, const char *sync) {
    char command[4000];
    double start = now_us();
    snprintf(command, sizeof command, "cp '%s' '%s' %s", from, to, sync);
    if (system(command) != 0) die("cp", 1);
    double took = now_us() - start;
    remove(to);
    return took;
}

static void print_rate(const char *name, struct phase *p) {
    double p50 = quantile(p, 0.5), best = quantile(p, 0);
    printf("%-44s %8.0f MB/s p50 of %d, best %.0f\n", name, SIZE / 1e3 / p50, ROUNDS, SIZE / 1e3 / best);
    fflush(stdout);
}

void file_figures(const char *peer, const char *folder) {
    char from[1000], to[1000], id[300], command[2100];
    const char *key = "\"file_elem_file_id\":\"", *at;
    struct phase up = {0}, down = {0}, cp = {0}, synced = {0};
    snprintf(from, sizeof from, "%s/from", folder);
    snprintf(to, sizeof to, "%s/to", folder);
    for (long i = 1; i <= ROUNDS; i++) {
        write_noise(from, (unsigned long long)(now_us() * 1e3) | 1);
        add(&cp, copy(from, to, ""), 0);
        snprintf(command, sizeof command, "&& sync '%s'", to);
        add(&synced, copy(from, to, command), 0);
        add(&up, upload(peer, from), 0);
        if ((at = strstr(result, key)) == NULL) die("no file id", i);
        at += strlen(key);
        snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\""), at);
        add(&down, download(id, to, i), 0);
        snprintf(command, sizeof command, "cmp '%s' '%s'", from, to);
        if (system(command) != 0) die("the file that came is another", i);
        remove(to);
    }
    print_rate("cp", &cp);
    print_rate("cp and sync", &synced);
    print_rate("upload, send to success callback", &up);
    print_rate("download, call to last callback", &down);
}
