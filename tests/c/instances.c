/*
 * instances [ROUNDS]: several accounts in one process.
 *
 * The rules first: each thread has its own current instance, a callback has its own, a destroyed one refuses every call.
 * Then ten accounts in ten instances over one data folder, each sending to the next from four threads that change from
 * instance to instance, while accounts log out and in again, are destroyed from outside and inside their own callback and
 * come back in a new instance, and strangers come and go. Every message arrives at the account it was sent to, in its
 * instance, with its user_data, exactly once; so does every answer. A send that failed is repeated with its id. Each
 * instance has a log file of its own that speaks of it alone. Last, instances made and destroyed: no more threads or
 * descriptors than before.
 */
#include "harness.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNTS 10
#define THREADS 4
#define MOST_ROUNDS 100
#define CYCLES 50
#define WARM_UP 10
#define MORE_THREADS 4

static char names[ACCOUNTS + 2][32], tickets[ACCOUNTS + 2][2048]; /* the last two are the strangers' */

static void begin(const char *data) {
    char config[512];
    snprintf(config, sizeof config, "{\"%s\":\"%s/log\",\"%s\":\"%s/%s\"}", kTIMSdkConfigLogFilePath, folder(),
             kTIMSdkConfigConfigFilePath, folder(), data);
    CHECK_INT(TIMInit(app(), config), TIM_SUCC);
}

static int enter(int user) {
    struct result r = {0};
    int code;
    CHECK_INT(TIMLogin(names[user], tickets[user], result_came, &r), TIM_SUCC);
    code = result_wait(&r);
    result_clear(&r);
    return code;
}

/* ---------------------------------------------------------------- rules */

static int64_t mine, other;
static int inside_done, ended_inside;

static void *fresh_thread(void *unused) {
    CHECK_INT(TIMExtInstanceGetCurrent(), 0);
    CHECK_INT(TIMExtInstanceSetCurrent(other), 0);
    CHECK_INT(TIMExtInstanceGetCurrent(), other);
    return unused;
}

static void inside_mine(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code, (void)desc, (void)json;
    CHECK(word == &inside_done);
    CHECK_INT(TIMExtInstanceGetCurrent(), mine);
    CHECK_INT(TIMExtInstanceSetCurrent(other), 0); /* for the rest of this callback */
    CHECK_INT(TIMExtInstanceGetCurrent(), other);
    note_add(&inside_done);
}

static void ends_itself(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code, (void)desc, (void)json;
    WAIT_FOR(*(const int *)word == 1); /* until others wait behind this one */
    CHECK_INT(TIMExtInstanceDestroy(mine), 0);
    note_lock();
    ended_inside = *(const int *)word;
    note_tell();
    note_unlock();
}

static void refuses_everything(void) {
    char user[128];
    int calls = 0;
    CHECK_INT(TIMInit(1, NULL), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMUninit(), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMSetConfig("{}", count_came, &calls), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMLogin("x", "y", count_came, &calls), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMMsgFindMessages("[]", count_came, &calls), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMGetLoginUserID(user), TIM_ERR_SDKUNINIT);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_UnLogined);
    CHECK_INT(TIMGetServerTime(), 0);
    TIMSetLogCallback(NULL, NULL);
    CHECK_INT(calls, 0);
}

static void rules(void) {
    pthread_t thread;
    int waiting = 0;
    CHECK_INT(TIMExtInstanceGetCurrent(), 0);
    CHECK_INT(TIMExtInstanceSetCurrent(1), TIM_ERR_PARAM);
    mine = TIMExtInstanceCreate();
    other = TIMExtInstanceCreate();
    CHECK(mine > 0 && other > mine);
    CHECK_INT(TIMExtInstanceGetCurrent(), 0);
    CHECK_INT(TIMExtInstanceSetCurrent(mine), 0);
    CHECK_INT(pthread_create(&thread, NULL, fresh_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(TIMExtInstanceGetCurrent(), mine);
    begin("rules");
    CHECK_INT(TIMSetConfig("{}", inside_mine, &inside_done), TIM_SUCC);
    CHECK_INT(TIMSetConfig("{}", inside_mine, &inside_done), TIM_SUCC); /* it is mine again */
    WAIT_FOR(inside_done == 2);

    CHECK_INT(TIMSetConfig("{}", ends_itself, &waiting), TIM_SUCC);
    CHECK_INT(TIMSetConfig("{}", count_came, &waiting), TIM_SUCC); /* 2, which comes before Destroy returns */
    note_add(&waiting);
    WAIT_FOR(ended_inside > 0);
    CHECK_INT(ended_inside, 2);
    CHECK_INT(TIMExtInstanceGetCurrent(), mine);
    refuses_everything();
    CHECK_INT(TIMExtInstanceDestroy(mine), TIM_ERR_PARAM);
    CHECK_INT(TIMExtInstanceDestroy(0), TIM_ERR_PARAM);
    CHECK_INT(TIMExtInstanceSetCurrent(mine), TIM_ERR_PARAM);
    CHECK_INT(TIMExtInstanceDestroy(other), 0);
    CHECK_INT(TIMExtInstanceSetCurrent(0), 0);
    drain(); /* instance 0 answers as ever */
}

/* The same user twice over one folder: the second instance is told that the database is in use. */
static void one_folder_one_user(void) {
    int64_t first = TIMExtInstanceCreate(), second = TIMExtInstanceCreate();
    CHECK_INT(TIMExtInstanceSetCurrent(first), 0);
    begin("twice");
    CHECK_INT(enter(ACCOUNTS), 0);
    CHECK_INT(TIMExtInstanceSetCurrent(second), 0);
    begin("twice");
    CHECK_INT(enter(ACCOUNTS), ERR_SDK_COMM_DATABASE_FAILURE);
    CHECK_INT(enter(ACCOUNTS + 1), 0); /* another user has no trouble there */
    CHECK_INT(TIMExtInstanceDestroy(first), 0);
    CHECK_INT(TIMExtInstanceDestroy(second), 0);
}

/* ---------------------------------------------------------------- the ring */

struct account {
    int number;
    int64_t instance; /* the newest */
    int ready;        /* logged in */
    int thread_known;
    pthread_t thread; /* of its callbacks */
    int received;
};
static struct account accounts[ACCOUNTS];

struct letter {
    int from, thread, number;
    int64_t instance; /* that it was given to last */
    char id[128];
    int calls, code; /* of the last attempt */
    int arrived;
};
static struct letter letters[THREADS][ACCOUNTS][MOST_ROUNDS];
static int rounds, repeated, lives, strangers_seen, senders_left;

/* Every callback of an account comes in its instance and on one thread. */
static void check_place(const struct account *a, int64_t instance) {
    CHECK_INT(TIMExtInstanceGetCurrent(), instance);
    if (a != NULL) CHECK(pthread_equal(a->thread, pthread_self()));
}

/* Called for each text of a page of messages. */
static void letter_came(struct account *to, const char *text) {
    int from, thread, number;
    struct letter *l;
    if (sscanf(text, "letter %d %d %d\"", &from, &thread, &number) != 3) return;
    CHECK_INT((from + 1) % ACCOUNTS, to->number);
    CHECK(thread >= 0 && thread < THREADS && number >= 0 && number < rounds);
    l = &letters[thread][from][number];
    l->arrived++;
    to->received++;
    if (l->arrived > 1) test_fail(__FILE__, __LINE__, "letter %d %d %d arrived %d times", from, thread, number, l->arrived);
}

static void messages_came(const char *json, const void *word) {
    static const char key[] = "\"text_elem_content\":\"";
    struct account *to = (struct account *)word;
    const char *at;
    note_lock();
    if (!to->thread_known) to->thread = pthread_self(), to->thread_known = 1;
    check_place(to, to->instance);
    for (at = strstr(json, key); at != NULL; at = strstr(at, key)) letter_came(to, at += sizeof key - 1);
    note_tell();
    note_unlock();
}

static void sent(int32_t code, const char *desc, const char *json, const void *word) {
    struct letter *l = (struct letter *)word;
    (void)desc, (void)json;
    note_lock();
    check_place(NULL, l->instance);
    l->calls++;
    l->code = code;
    note_tell();
    note_unlock();
}

/* Gives a letter to its sender's instance, when that is logged in. */
static void post(struct letter *l) {
    const struct account *a = &accounts[l->from];
    char message[512], again[200] = "";
    int accepted;
    WAIT_FOR(a->ready);
    note_lock();
    l->instance = a->instance;
    l->calls = 0;
    note_unlock();
    if (l->id[0]) snprintf(again, sizeof again, "\"%s\":\"%s\",", kTIMMsgMsgId, l->id);
    snprintf(message, sizeof message, "{%s\"%s\":[{\"%s\":0,\"%s\":\"letter %d %d %d\"}]}", again, kTIMMsgElemArray, kTIMElemType,
             kTIMTextElemContent, l->from, l->thread, l->number);
    accepted = TIMExtInstanceSetCurrent(l->instance) == 0 &&
               TIMMsgSendMessage(names[(l->from + 1) % ACCOUNTS], kTIMConv_C2C, message, l->id, sent, l) == TIM_SUCC;
    if (accepted) return;
    note_lock(); /* destroyed meanwhile: no answer will come */
    l->calls = 1;
    l->code = TIM_ERR_SDKUNINIT;
    note_unlock();
}

static void *sender(void *argument) {
    int thread = (int)(intptr_t)argument, i, k;
    for (k = 0; k < rounds; k++) {
        for (i = 0; i < ACCOUNTS; i++) {
            struct letter *l = &letters[thread][(i + thread) % ACCOUNTS][k];
            l->from = (i + thread) % ACCOUNTS, l->thread = thread, l->number = k;
            post(l);
        }
        for (i = 0; i < ACCOUNTS; i++) {
            struct letter *l = &letters[thread][i][k];
            for (;;) {
                WAIT_FOR(l->calls > 0);
                CHECK_INT(l->calls, 1);
                if (l->code == 0) break;
                note_add(&repeated);
                post(l);
            }
        }
    }
    note_lock();
    senders_left--;
    note_tell();
    note_unlock();
    return NULL;
}

static void live(struct account *a) {
    int64_t instance = TIMExtInstanceCreate();
    CHECK(instance > 0);
    CHECK_INT(TIMExtInstanceSetCurrent(instance), 0);
    note_lock();
    a->instance = instance;
    a->thread_known = 0;
    lives++;
    note_unlock();
    TIMAddRecvNewMsgCallback(messages_came, a);
    begin("data");
    CHECK_INT(enter(a->number), 0);
    note_lock();
    a->ready = 1;
    note_tell();
    note_unlock();
}

static int destroyed;
static void destroys(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code, (void)desc, (void)json;
    CHECK_INT(TIMExtInstanceDestroy(((const struct account *)word)->instance), 0);
    note_add(&destroyed);
}

/* Ends what an account is doing, in one of three ways, and begins it again. */
static void disturb(struct account *a, int way) {
    int before = note_read(&destroyed);
    note_lock();
    a->ready = 0;
    note_unlock();
    CHECK_INT(TIMExtInstanceSetCurrent(a->instance), 0);
    switch (way) {
    case 0:
        logout();
        CHECK_INT(enter(a->number), 0);
        note_lock();
        a->ready = 1;
        note_tell();
        note_unlock();
        return;
    case 1: CHECK_INT(TIMExtInstanceDestroy(a->instance), 0); break;
    default:
        CHECK_INT(TIMSetConfig("{}", destroys, a), TIM_SUCC);
        WAIT_FOR(destroyed > before);
    }
    live(a);
}

static void *unrest(void *unused) {
    int i;
    for (i = 0; i < 3 || (note_read(&senders_left) > 0 && i < 60); i++) disturb(&accounts[i * 7 % ACCOUNTS], i % 3);
    return unused;
}

static void stranger(int user) {
    int calls = 0;
    int64_t instance = TIMExtInstanceCreate();
    CHECK_INT(TIMExtInstanceSetCurrent(instance), 0);
    begin("strangers");
    CHECK_INT(enter(user), 0);
    CHECK_INT(TIMConvGetConvList(count_came, &calls), TIM_SUCC);
    CHECK_INT(TIMExtInstanceDestroy(instance), 0);
    CHECK_INT(calls, 1);
}

static void *strangers(void *unused) {
    do {
        stranger(ACCOUNTS);
        note_add(&strangers_seen);
    } while (note_read(&senders_left) > 0 && note_read(&strangers_seen) < 20);
    return unused;
}

static void ring(void) {
    pthread_t threads[THREADS + 2];
    int i, k, t, total = 0;
    senders_left = THREADS;
    for (i = 0; i < ACCOUNTS; i++) {
        accounts[i].number = i;
        live(&accounts[i]);
    }
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, sender, (void *)(intptr_t)i), 0);
    CHECK_INT(pthread_create(&threads[THREADS], NULL, unrest, NULL), 0);
    CHECK_INT(pthread_create(&threads[THREADS + 1], NULL, strangers, NULL), 0);
    for (i = 0; i < THREADS + 2; i++) CHECK_INT(pthread_join(threads[i], NULL), 0);
    for (i = 0; i < ACCOUNTS; i++) {
        WAIT_FOR(accounts[i].received >= THREADS * rounds);
        CHECK_INT(TIMExtInstanceSetCurrent(accounts[i].instance), 0);
        drain();
        CHECK_INT(TIMExtInstanceDestroy(accounts[i].instance), 0);
    }
    for (t = 0; t < THREADS; t++)
        for (i = 0; i < ACCOUNTS; i++)
            for (k = 0; k < rounds; k++, total++) CHECK_INT(letters[t][i][k].arrived, 1);
    CHECK_INT(total, THREADS * ACCOUNTS * rounds);
    CHECK(lives > ACCOUNTS && strangers_seen > 0);
}

/* Each line of an instance's file names the instance. */
static void check_log(const char *path, int64_t instance) {
    char line[4096], mark[40];
    FILE *f = fopen(path, "r");
    int lines = 0;
    CHECK(f != NULL);
    snprintf(mark, sizeof mark, " instance=%lld ", (long long)instance);
    for (; fgets(line, sizeof line, f) != NULL; lines++)
        if (strstr(line, mark) == NULL) test_fail(__FILE__, __LINE__, "%s: %s", path, line);
    fclose(f);
    CHECK(lines > 0);
}

static int logs(void) {
    char pattern[300];
    int files = 0;
    size_t i;
    int64_t instance, last = accounts[0].instance;
    for (i = 0; i < ACCOUNTS; i++)
        if (accounts[i].instance > last) last = accounts[i].instance;
    for (instance = 1; instance <= last; instance++) {
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s/log/imsdk-%lld_*.log", folder(), (long long)instance);
        if (glob(pattern, 0, NULL, &found) != 0) continue; /* it never called TIMInit */
        for (i = 0; i < found.gl_pathc; i++, files++) check_log(found.gl_pathv[i], instance);
        globfree(&found);
    }
    CHECK(files >= lives + strangers_seen);
    return files;
}

static void cycles(void) {
    int i, threads = 0, fds = 0, more_threads, more_fds;
    for (i = 0; i < WARM_UP + CYCLES; i++) {
        if (i == WARM_UP) threads = entries("/proc/self/task"), fds = entries("/proc/self/fd");
        stranger(ACCOUNTS + 1);
    }
    entries_settle("/proc/self/task", threads + MORE_THREADS);
    entries_settle("/proc/self/fd", fds);
    more_threads = entries("/proc/self/task") - threads;
    more_fds = entries("/proc/self/fd") - fds;
    if (more_threads > MORE_THREADS || more_fds > 0)
        test_fail(__FILE__, __LINE__, "after %d cycles %d more threads, %d more descriptors", CYCLES, more_threads, more_fds);
}

int main(int argc, char **argv) {
    int i;
    rounds = argc > 1 ? atoi(argv[1]) : 40;
    CHECK(rounds > 0 && rounds <= MOST_ROUNDS);
    for (i = 0; i < ACCOUNTS + 2; i++) {
        snprintf(names[i], sizeof names[i], "instances_%d", i);
        ticket(names[i], tickets[i], sizeof tickets[i]);
    }
    rules();
    one_folder_one_user();
    ring();
    i = logs();
    cycles();
    CHECK_INT(TIMExtInstanceSetCurrent(0), 0);
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("instances", "%d accounts in one process sent %d messages in a ring from %d threads, %d of them again, while accounts "
            "began %d lives and %d strangers came and went: each arrived once, in its instance; %d log files of one instance "
            "each; %d instances made and destroyed leave nothing behind", ACCOUNTS, THREADS * ACCOUNTS * rounds, THREADS, repeated,
            lives, strangers_seen, i, CYCLES);
    return 0;
}
