/* Sending: the element names the file on this disk, the library uploads it and fills in its id, URL and size. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "media.h"
#include "session.h"

static const char *sending = ""; /* the file that is under way; there is one at a time */
static int shown;

/* The end of a name without its dot. */
static const char *ending(const char *path) {
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    return dot == NULL || (slash != NULL && slash > dot) ? "" : dot + 1;
}

static int is_one_of(const char *word, const char *const *list) {
    for (; *list; list++)
        if (strcasecmp(word, *list) == 0) return 1;
    return 0;
}

static enum TIMElemType kind_of(const char *path) {
    static const char *const images[] = {"jpg", "jpeg", "png", "gif", "bmp", NULL};
    static const char *const sounds[] = {"m4a", "mp3", "aac", "amr", "wav", "ogg", NULL};
    static const char *const videos[] = {"mp4", "mov", "mkv", "webm", "avi", NULL};
    if (is_one_of(ending(path), images)) return kTIMElem_Image;
    if (is_one_of(ending(path), sounds)) return kTIMElem_Sound;
    return is_one_of(ending(path), videos) ? kTIMElem_Video : kTIMElem_File;
}

/* Writes the message's JSON. A real program knows how long a sound or a video is, and how large a cover. */
static int write_message(char *out, size_t size, const char *path, const char *cover) {
    char file[2100], image[2100], format[50];
    enum TIMElemType kind = kind_of(path);
    int n = 0;
    if (!json_quote(path, file, sizeof file) || !json_quote(cover, image, sizeof image)) return 0;
    json_quote(ending(path), format, sizeof format);
    switch (kind) {
    case kTIMElem_Image:
        n = snprintf(out, size, "{\"%s\":[{\"%s\":%d,\"%s\":%s,\"%s\":%d}]}", kTIMMsgElemArray, kTIMElemType, kind,
                     kTIMImageElemOrigPath, file, kTIMImageElemLevel, kTIMImageLevel_Orig);
        break;
    case kTIMElem_Sound:
        n = snprintf(out, size, "{\"%s\":[{\"%s\":%d,\"%s\":%s,\"%s\":1}]}", kTIMMsgElemArray, kTIMElemType, kind,
                     kTIMSoundElemFilePath, file, kTIMSoundElemFileTime);
        break;
    case kTIMElem_Video:
        n = snprintf(out, size, "{\"%s\":[{\"%s\":%d,\"%s\":%s,\"%s\":%s,\"%s\":1,\"%s\":%s}]}", kTIMMsgElemArray, kTIMElemType,
                     kind, kTIMVideoElemVideoPath, file, kTIMVideoElemVideoType, format, kTIMVideoElemVideoDuration,
                     kTIMVideoElemImagePath, image);
        break;
    default:
        n = snprintf(out, size, "{\"%s\":[{\"%s\":%d,\"%s\":%s}]}", kTIMMsgElemArray, kTIMElemType, kind, kTIMFileElemFilePath, file);
    }
    return n > 0 && (size_t)n < size;
}

static void on_progress(const char *json_msg, uint32_t index, uint32_t done, uint32_t total, const void *user_data) {
    (void)json_msg, (void)index, (void)user_data;
    show_progress(sending, done, total, &shown);
}

static int send_file(const char *peer, char *path) {
    struct result r = {0, 0, ""};
    char message[8192], *cover = strrchr(path, ':');
    if (cover != NULL) *cover++ = 0;
    if (!write_message(message, sizeof message, path, cover ? cover : "")) {
        fprintf(stderr, "%s: the path is too long\n", path);
        return -1;
    }
    sending = path, shown = -1;
    return result_of(path, TIMMsgSendMessage(peer, kTIMConv_C2C, message, NULL, result_came, &r), &r);
}

int send_files(const char *peer, int count, char **paths) {
    int i, failures = 0;
    TIMSetMsgElemUploadProgressCallback(on_progress, NULL);
    for (i = 0; i < count; i++) {
        if (send_file(peer, paths[i]) != 0) {
            failures++;
            continue;
        }
        printf("%s: sent\n", paths[i]);
        fflush(stdout);
    }
    return failures != 0;
}
