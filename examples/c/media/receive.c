/* Receiving: an element carries an id and a URL for each of its files, and both are given to the download. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "media.h"
#include "session.h"

/* The files that an element of a kind may have. */
static const struct part {
    enum TIMElemType kind;
    const char *name;
    enum TIMDownloadType type;
    const char *const *id, *const *url, *const *size;
} parts[] = {
    {kTIMElem_Image, "image", kTIMDownload_File, &kTIMImageElemOrigId, &kTIMImageElemOrigUrl, &kTIMImageElemOrigPicSize},
    {kTIMElem_Image, "thumb", kTIMDownload_File, &kTIMImageElemThumbId, &kTIMImageElemThumbUrl, &kTIMImageElemThumbPicSize},
    {kTIMElem_Sound, "sound", kTIMDownload_Sound, &kTIMSoundElemFileId, &kTIMSoundElemUrl, &kTIMSoundElemFileSize},
    {kTIMElem_File, "file", kTIMDownload_File, &kTIMFileElemFileId, &kTIMFileElemUrl, &kTIMFileElemFileSize},
    {kTIMElem_Video, "video", kTIMDownload_Video, &kTIMVideoElemVideoId, &kTIMVideoElemVideoUrl, &kTIMVideoElemVideoSize},
    {kTIMElem_Video, "cover", kTIMDownload_VideoThumb, &kTIMVideoElemImageId, &kTIMVideoElemImageUrl, &kTIMVideoElemImageSize},
};

/* The messages that have come, oldest first. */
static struct waiting {
    struct waiting *next;
    char json[];
} *first, **last = &first;

static void on_messages(const char *json_msg_array, const void *user_data) {
    int i;
    const char *message;
    (void)user_data;
    lock();
    for (i = 0; (message = json_item(json_msg_array, i)) != NULL; i++) {
        struct waiting *w = malloc(sizeof *w + strlen(message) + 1);
        if (w == NULL) exit(1);
        w->next = NULL;
        strcpy(w->json, message); /* what follows the message does no harm */
        *last = w;
        last = &w->next;
    }
    tell_change();
    unlock();
}

void receive_listen(void) { TIMAddRecvNewMsgCallback(on_messages, NULL); }

static struct waiting *next_message(void) {
    struct waiting *w;
    lock();
    while (first == NULL) {
        if (!wait_for_change()) {
            fprintf(stderr, "no message came for a minute\n");
            exit(1);
        }
    }
    w = first;
    first = w->next;
    if (first == NULL) last = &first;
    unlock();
    return w;
}

struct download {
    struct result result;
    const char *name;
    int shown;
};

/* Comes with desc "downloading" any number of times and then with the result. */
static void on_download(int32_t code, const char *desc, const char *json, const void *user_data) {
    struct download *d = (struct download *)user_data;
    if (code == 0 && strcmp(desc, "downloading") == 0) {
        show_progress(d->name, (unsigned long long)json_number(json_member(json, kTIMMsgDownloadElemResultCurrentSize)),
                      (unsigned long long)json_number(json_member(json, kTIMMsgDownloadElemResultTotalSize)), &d->shown);
        return;
    }
    result_came(code, desc, json, &d->result);
}

/* The CRC-32 that zip and PNG use, or 0 with *size -1 when the file cannot be read. */
static unsigned long crc32_of(const char *path, long long *size) {
    unsigned char buffer[65536];
    unsigned long crc = 0xffffffffUL;
    size_t n, i;
    int bit;
    FILE *file = fopen(path, "rb");
    *size = file == NULL ? -1 : 0;
    if (file == NULL) return 0;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) {
        *size += (long long)n;
        for (i = 0; i < n; i++)
            for (crc ^= buffer[i], bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320UL : crc >> 1;
    }
    fclose(file);
    return crc ^ 0xffffffffUL;
}

/* The name under which a file is stored. What the sender calls it never becomes a path. */
static void local_name(char *out, size_t size, const char *folder, int number, const struct part *p, const char *element) {
    char name[200] = "", *at;
    if (p->kind == kTIMElem_File) json_text(json_member(element, kTIMFileElemFileName), name, sizeof name);
    for (at = name; *at; at++)
        if (*at == '/' || *at == '\\' || (unsigned char)*at < 0x20) *at = '_';
    snprintf(out, size, "%s/%d-%s%s%s", folder, number, p->name, *name ? "-" : "", name);
}

static int fetch(const char *folder, int number, const struct part *p, const char *element) {
    char id[300], url[2000], quoted_id[400], quoted_url[2400], param[4000], path[2000];
    struct download d = {{0, 0, ""}, NULL, -1};
    long long size, want = json_number(json_member(element, *p->size));
    unsigned long crc;
    json_text(json_member(element, *p->id), id, sizeof id);
    json_text(json_member(element, *p->url), url, sizeof url);
    if (*id == 0 && *url == 0) return 0; /* a video without a cover */
    if (!json_quote(id, quoted_id, sizeof quoted_id) || !json_quote(url, quoted_url, sizeof quoted_url)) return -1;
    snprintf(param, sizeof param, "{\"%s\":%d,\"%s\":%s,\"%s\":%s}", kTIMMsgDownloadElemParamType, p->type,
             kTIMMsgDownloadElemParamId, quoted_id, kTIMMsgDownloadElemParamUrl, quoted_url);
    local_name(path, sizeof path, folder, number, p, element);
    d.name = path;
    if (result_of(path, TIMMsgDownloadElemToPath(param, path, on_download, &d), &d.result) != 0) return -1;
    crc = crc32_of(path, &size);
    printf("%s: %lld bytes, crc32 %08lx\n", path, size, crc);
    fflush(stdout);
    if (size != want) fprintf(stderr, "%s: the message says %lld bytes\n", path, want);
    return size == want ? 0 : -1;
}

int receive_files(const char *folder, int count) {
    int number, i, failures = 0;
    size_t n;
    for (number = 1; number <= count; number++) {
        struct waiting *w = next_message();
        const char *element, *elements = json_member(w->json, kTIMMsgElemArray);
        for (i = 0; (element = json_item(elements, i)) != NULL; i++)
            for (n = 0; n < sizeof parts / sizeof *parts; n++)
                if (json_number(json_member(element, kTIMElemType)) == parts[n].kind)
                    failures += fetch(folder, number, &parts[n], element) != 0;
        free(w);
    }
    return failures != 0;
}
