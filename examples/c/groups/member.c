#define _POSIX_C_SOURCE 200809L
#include "member.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
struct result result;

/* Each member has a callback thread of his own, which notes what it hears and wakes main(). */
static void tell(const void *user_data, const char *format, ...) {
    struct member *m = (struct member *)user_data;
    char line[600];
    int n;
    va_list list;
    va_start(list, format);
    n = vsnprintf(line, sizeof line - 1, format, list);
    va_end(list);
    if (n < 0) return;
    if ((size_t)n > sizeof line - 2) n = sizeof line - 2;
    line[n++] = '\n';
    pthread_mutex_lock(&mutex);
    printf("%-6s <- %.*s", m->name, n, line);
    fflush(stdout);
    if (m->size + (size_t)n < sizeof m->told) {
        memcpy(m->told + m->size, line, (size_t)n);
        m->size += (size_t)n;
        m->told[m->size] = 0;
    }
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&mutex);
}

static void on_tip(const char *json, const void *user_data) {
    char who[80], about[400];
    tell(user_data, "tip %ld: %s did it, about %s", json_number(json_member(json, kTIMGroupTipsElemTipType)),
         json_copy(json_member(json, kTIMGroupTipsElemOpUser), who, sizeof who),
         json_copy(json_member(json, kTIMGroupTipsElemUserArray), about, sizeof about));
}

static void on_attributes(const char *group, const char *json, const void *user_data) {
    (void)group;
    tell(user_data, "attributes: %s", json);
}

static void on_counter(const char *group, const char *key, int64_t value, const void *user_data) {
    (void)group;
    tell(user_data, "counter %s: %lld", key, (long long)value);
}

/* What a group tells one user alone comes as a message of the type kTIMConv_System. */
static void on_messages(const char *json, const void *user_data) {
    char who[80], text[300];
    const char *message = json_first(json), *element = json_first(json_member(message, kTIMMsgElemArray));
    switch (json_number(json_member(element, kTIMElemType))) {
    case kTIMElem_Text:
        tell(user_data, "%s says %s", json_copy(json_member(message, kTIMMsgSender), who, sizeof who),
             json_copy(json_member(element, kTIMTextElemContent), text, sizeof text));
        break;
    case kTIMElem_GroupReport:
        tell(user_data, "report %ld: %s did it: %s", json_number(json_member(element, kTIMGroupReportElemReportType)),
             json_copy(json_member(element, kTIMGroupReportElemOpUser), who, sizeof who),
             json_copy(json_member(element, kTIMGroupReportElemMsg), text, sizeof text));
        break;
    }
}

void as(const struct member *m) { TIMExtInstanceSetCurrent(m->instance); }

void member_begin(struct member *m, uint64_t app, const char *name, const char *user_sig) {
    m->name = name;
    m->instance = TIMExtInstanceCreate();
    as(m);
    TIMAddRecvNewMsgCallback(on_messages, m); /* before the login, so that nothing is missed */
    TIMSetGroupTipsEventCallback(on_tip, m);
    TIMSetGroupAttributeChangedCallback(on_attributes, m);
    TIMSetGroupCounterChangedCallback(on_counter, m);
    if (TIMInit(app, NULL) != TIM_SUCC) exit(1);
    OK(TIMLogin, name, user_sig);
}

void member_end(struct member *m) {
    as(m);
    finish("TIMLogout", (result = (struct result){0, 0, NULL}, TIMLogout(RESULT)), &result, 0);
    TIMExtInstanceSetCurrent(0);
    TIMExtInstanceDestroy(m->instance);
}

static int wait_for_change(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return pthread_cond_timedwait(&change, &mutex, &until) == 0;
}

void member_step(struct member *m) {
    pthread_mutex_lock(&mutex);
    m->begin = m->size;
    pthread_mutex_unlock(&mutex);
}

void expect(struct member *m, const char *text) {
    pthread_mutex_lock(&mutex);
    while (strstr(m->told + m->begin, text) == NULL) {
        if (!wait_for_change()) {
            fprintf(stderr, "%s was not told: %s\n", m->name, text);
            exit(1);
        }
    }
    pthread_mutex_unlock(&mutex);
}

void result_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    struct result *r = (struct result *)user_data;
    pthread_mutex_lock(&mutex);
    if (code != 0) printf("       -- code %d: %s\n", (int)code, desc);
    r->code = (int)code;
    r->json = strdup(json); /* the text is only valid during the callback */
    r->done = 1;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&mutex);
}

const char *finish(const char *what, int returned, struct result *r, int wanted) {
    static char *kept;
    if (returned != TIM_SUCC) {
        fprintf(stderr, "%s was not accepted: %d\n", what, returned);
        exit(1);
    }
    pthread_mutex_lock(&mutex);
    while (!r->done) wait_for_change(); /* the library answers every accepted call */
    pthread_mutex_unlock(&mutex);
    if (r->code != wanted) {
        fprintf(stderr, "%s: code %d instead of %d\n", what, r->code, wanted);
        exit(1);
    }
    free(kept);
    return kept = r->json;
}
