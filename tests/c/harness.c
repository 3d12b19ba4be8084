#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;

void test_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    fflush(NULL);
    _exit(1);
}

void test_same_text(const char *file, int line, const char *what, const char *got, const char *want) {
    if (got == NULL || strcmp(got, want) != 0)
        test_fail(file, line, "%s is \"%.400s\", want \"%.400s\"", what, got ? got : "(NULL)", want);
}

void test_ok(const char *name, const char *format, ...) {
    va_list args;
    printf("ok %s: ", name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

void note_lock(void) { pthread_mutex_lock(&lock); }
void note_unlock(void) { pthread_mutex_unlock(&lock); }
void note_tell(void) { pthread_cond_broadcast(&change); }

int note_wait(int seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    return pthread_cond_timedwait(&change, &lock, &until) != ETIMEDOUT;
}

void note_add(int *counter) {
    note_lock();
    ++*counter;
    note_tell();
    note_unlock();
}

int note_read(const int *counter) {
    int n;
    note_lock();
    n = *counter;
    note_unlock();
    return n;
}

void result_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    struct result *r = (struct result *)user_data;
    note_lock();
    if (desc == NULL || json == NULL) test_fail(__FILE__, __LINE__, "a callback was given NULL for a text");
    r->calls++;
    r->code = code;
    r->thread = pthread_self();
    free(r->json);
    r->json = strdup(json);
    note_tell();
    note_unlock();
}

int result_wait(struct result *r) {
    WAIT_FOR(r->calls > 0);
    return r->code;
}

void result_clear(struct result *r) {
    free(r->json);
    memset(r, 0, sizeof *r);
}

void count_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json;
    note_add((int *)user_data);
}

static char home[128];
static pid_t owner;

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at) {
    (void)info, (void)type, (void)at;
    return remove(path);
}

static void remove_folder(void) {
    if (getpid() == owner) nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder(void) {
    if (home[0] == 0) {
        const char *base = getenv("TMPDIR");
        snprintf(home, sizeof home, "%.80s/timbre-test-XXXXXX", base ? base : "/tmp");
        if (mkdtemp(home) == NULL) test_fail(__FILE__, __LINE__, "mkdtemp: %s", strerror(errno));
        owner = getpid();
        atexit(remove_folder);
    }
    return home;
}

int entries(const char *path) {
    DIR *d = opendir(path);
    int n = 0;
    if (d == NULL) test_fail(__FILE__, __LINE__, "%s: %s", path, strerror(errno));
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

void entries_settle(const char *path, int most) {
    static const struct timespec pause = {0, 20 * 1000 * 1000}; /* between two looks */
    int looks;
    for (looks = 0; entries(path) > most && looks < 500; looks++) nanosleep(&pause, NULL);
}

#ifndef TIMBRE_NO_LIBRARY /* reload.c loads the library itself */

void drain(void) {
    struct result r = {0};
    CHECK_INT(TIMSetConfig("{}", result_came, &r), TIM_SUCC);
    result_wait(&r);
    result_clear(&r);
}

uint64_t app(void) {
    const char *id = getenv("TIMBRE_APP");
    return id ? strtoull(id, NULL, 10) : 1400000001;
}

void init(void) {
    char config[512];
    snprintf(config, sizeof config, "{\"%s\":\"%s/log\",\"%s\":\"%s/data\"}", kTIMSdkConfigLogFilePath, folder(),
             kTIMSdkConfigConfigFilePath, folder());
    CHECK_INT(TIMInit(app(), config), TIM_SUCC);
}

void ticket(const char *user, char *buffer, size_t size) {
    char command[512];
    FILE *p;
    const char *program = getenv("TIMBRED"), *id = getenv("TIMBRE_APP"), *secret = getenv("TIMBRE_SECRET");
    if (!program || !id || !secret) test_fail(__FILE__, __LINE__, "no server: run this under tests/with_server.sh");
    snprintf(command, sizeof command, "'%s' usersig --app %s:%s --user '%s'", program, id, secret, user);
    p = popen(command, "r");
    if (p == NULL || fgets(buffer, (int)size, p) == NULL) test_fail(__FILE__, __LINE__, "%s gave nothing", command);
    if (pclose(p) != 0) test_fail(__FILE__, __LINE__, "%s failed", command);
    buffer[strcspn(buffer, "\r\n")] = 0;
}

void login(const char *user) {
    char sig[2048];
    struct result r = {0};
    ticket(user, sig, sizeof sig);
    CHECK_INT(TIMLogin(user, sig, result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_Logined);
    result_clear(&r);
}

void logout(void) {
    struct result r = {0};
    CHECK_INT(TIMLogout(result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    result_clear(&r);
}

char *text_message(const char *text) {
    size_t size = strlen(text) + 256;
    char *json = (char *)malloc(size);
    snprintf(json, size, "{\"%s\":[{\"%s\":0,\"%s\":\"%s\"}]}", kTIMMsgElemArray, kTIMElemType, kTIMTextElemContent, text);
    return json;
}

void peer_sends(const char *user, const char *target, int count) {
    char self[400], command[512], *end;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) test_fail(__FILE__, __LINE__, "readlink: %s", strerror(errno));
    self[n] = 0;
    end = strrchr(self, '/');
    *end = 0;
    snprintf(command, sizeof command, "'%.380s/peer' %s %s %d", self, user, target, count);
    CHECK_INT(system(command), 0);
}

#endif
