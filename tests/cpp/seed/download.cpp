// TIMMsgDownloadElemToPath as an application of 2021 uses it, for each kind of element that has files.
#include "seed.h"

namespace {

// Transfer is a download: its callback comes with the progress any number of times and then with the result.
struct Transfer {
    Transfer() : steps(0), results(0), code(-1), current(0), total(0) {}
    int steps, results, code;
    Json::Int64 current, total;

    static void came(int32_t code, const char* desc, const char* json_param, const void* user_data) {
        Transfer* t = const_cast<Transfer*>(static_cast<const Transfer*>(user_data));
        Json::Value sizes = code == 0 ? parse(json_param) : Json::Value();
        note_lock();
        if (code == 0) {
            Json::Int64 now = sizes[kTIMMsgDownloadElemResultCurrentSize].asInt64();
            CHECK(now >= t->current);
            t->current = now;
            t->total = sizes[kTIMMsgDownloadElemResultTotalSize].asInt64();
        }
        if (code == 0 && std::string(desc) == "downloading") {
            t->steps++;
        } else {
            t->results++;
            t->code = code;
        }
        note_tell();
        note_unlock();
    }
};

// Everything that is given comes from the element; the flag is a key of that time, which nobody sets any more.
int download(const Json::Value& flag, int type, const Json::Value& id, const Json::Value& business_id, const Json::Value& url,
             const std::string& path, Transfer* t) {
    Json::Value download_param;
    download_param[kTIMMsgDownloadElemParamFlag] = flag.asInt();
    download_param[kTIMMsgDownloadElemParamType] = type;
    download_param[kTIMMsgDownloadElemParamId] = id;
    download_param[kTIMMsgDownloadElemParamBusinessId] = business_id.asInt();
    download_param[kTIMMsgDownloadElemParamUrl] = url;
    CHECK_INT(TIMMsgDownloadElemToPath(download_param.toStyledString().c_str(), path.c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Transfer::came(code, desc, json_param, user_data);
        }, t), TIM_SUCC);
    WAIT_FOR(t->results > 0);
    drain(); // nothing follows the result
    CHECK_INT(t->results, 1);
    return t->code;
}

void fetch(const Json::Value& flag, int type, const Json::Value& id, const Json::Value& business_id, const Json::Value& url,
           const Json::Value& size, const std::string& want, const std::string& path) {
    Transfer t;
    CHECK_INT(download(flag, type, id, business_id, url, path, &t), 0);
    std::string got = contents(path);
    CHECK_INT(got.size(), size.asInt64());
    CHECK(want.empty() || got == want);
    CHECK(t.steps > 0);
    CHECK_INT(t.current, size.asInt64());
    CHECK_INT(t.total, size.asInt64());
}

std::string noise(size_t size, unsigned seed) {
    std::string out(size, 0);
    for (char& c : out) c = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
    return out;
}

void put(std::string& out, unsigned value, int bytes) {
    for (; bytes > 0; bytes--, value >>= 8) out += static_cast<char>(value & 255);
}

// A BMP of 24 bits; its pixels are a slope, so that it can be made smaller.
std::string bitmap(unsigned width, unsigned height) {
    unsigned line = (width * 3 + 3) / 4 * 4;
    std::string out = "BM";
    put(out, 54 + line * height, 4), put(out, 0, 4), put(out, 54, 4), put(out, 40, 4), put(out, width, 4), put(out, height, 4);
    put(out, 1, 2), put(out, 24, 2), put(out, 0, 4), put(out, line * height, 4);
    put(out, 2835, 4), put(out, 2835, 4), put(out, 0, 4), put(out, 0, 4);
    for (unsigned y = 0; y < height; y++) {
        std::string row;
        for (unsigned x = 0; x < width; x++) put(row, x * 255 / width, 1), put(row, y * 255 / height, 1), put(row, 90, 1);
        row.resize(line);
        out += row;
    }
    return out;
}

// Has bob send an element and returns it as it arrives.
Json::Value arrive(Partner& bob, Inbox& inbox, const Json::Value& elem) {
    bob.send("alice", kTIMConv_C2C, message_of(elem, "bob"));
    Json::Value got = inbox.next()[kTIMMsgElemArray][0u];
    CHECK_INT(got[kTIMElemType].asInt(), elem[kTIMElemType].asInt());
    return got;
}

void file(Partner& bob, Inbox& inbox, const std::string& dir) {
    const std::string text = noise(9000000, 1); // several parts
    write_file(dir + "/report.pdf", text);
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_File;
    elem[kTIMFileElemFilePath] = dir + "/report.pdf";
    elem[kTIMFileElemFileName] = "\xe6\x8a\xa5\xe5\x91\x8a.pdf";
    elem[kTIMFileElemFileSize] = static_cast<Json::Int64>(text.size());
    Json::Value got = arrive(bob, inbox, elem);
    CHECK_TEXT(got[kTIMFileElemFileName].asCString(), elem[kTIMFileElemFileName].asCString());
    CHECK_TEXT(got[kTIMFileElemFilePath].asCString(), ""); // where it lay at bob's is nobody's business
    fetch(got[kTIMFileElemDownloadFlag], kTIMDownload_File, got[kTIMFileElemFileId], got[kTIMFileElemBusinessId],
          got[kTIMFileElemUrl], got[kTIMFileElemFileSize], text, dir + "/\xe6\x8a\xa5\xe5\x91\x8a.pdf");
    // By its URL alone it comes too.
    fetch(Json::Value(), kTIMDownload_File, "", Json::Value(), got[kTIMFileElemUrl], got[kTIMFileElemFileSize], text, dir + "/by-url");
}

void sound(Partner& bob, Inbox& inbox, const std::string& dir) {
    const std::string text = noise(50000, 2);
    write_file(dir + "/hello.amr", text);
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Sound;
    elem[kTIMSoundElemFilePath] = dir + "/hello.amr";
    elem[kTIMSoundElemFileSize] = static_cast<Json::Int64>(text.size());
    elem[kTIMSoundElemFileTime] = 10;
    Json::Value got = arrive(bob, inbox, elem);
    CHECK_INT(got[kTIMSoundElemFileTime].asInt(), 10);
    fetch(got[kTIMSoundElemDownloadFlag], kTIMDownload_Sound, got[kTIMSoundElemFileId], got[kTIMSoundElemBusinessId],
          got[kTIMSoundElemUrl], got[kTIMSoundElemFileSize], text, dir + "/got.amr");
}

void video(Partner& bob, Inbox& inbox, const std::string& dir) {
    const std::string film = noise(3000000, 3), cover = bitmap(64, 48);
    write_file(dir + "/film.mp4", film);
    write_file(dir + "/film.bmp", cover);
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Video;
    elem[kTIMVideoElemVideoType] = "mp4";
    elem[kTIMVideoElemVideoPath] = dir + "/film.mp4";
    elem[kTIMVideoElemVideoSize] = static_cast<Json::Int64>(film.size());
    elem[kTIMVideoElemVideoDuration] = 7;
    elem[kTIMVideoElemImageType] = "bmp";
    elem[kTIMVideoElemImagePath] = dir + "/film.bmp";
    elem[kTIMVideoElemImageSize] = static_cast<Json::Int64>(cover.size());
    elem[kTIMVideoElemImageWidth] = 64;
    elem[kTIMVideoElemImageHeight] = 48;
    Json::Value got = arrive(bob, inbox, elem);
    CHECK_INT(got[kTIMVideoElemVideoDuration].asInt(), 7);
    CHECK_INT(got[kTIMVideoElemImageWidth].asInt(), 64);
    fetch(got[kTIMVideoElemVideoDownloadFlag], kTIMDownload_Video, got[kTIMVideoElemVideoId], got[kTIMVideoElemBusinessId],
          got[kTIMVideoElemVideoUrl], got[kTIMVideoElemVideoSize], film, dir + "/got.mp4");
    fetch(got[kTIMVideoElemImageDownloadFlag], kTIMDownload_VideoThumb, got[kTIMVideoElemImageId], got[kTIMVideoElemBusinessId],
          got[kTIMVideoElemImageUrl], got[kTIMVideoElemImageSize], cover, dir + "/got.bmp");
}

void image(Partner& bob, Inbox& inbox, const std::string& dir) {
    const std::string picture = bitmap(500, 300);
    write_file(dir + "/picture.bmp", picture);
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Image;
    elem[kTIMImageElemOrigPath] = dir + "/picture.bmp";
    elem[kTIMImageElemLevel] = kTIMImageLevel_Orig;
    Json::Value got = arrive(bob, inbox, elem);
    CHECK_INT(got[kTIMImageElemFormat].asInt(), 4);
    CHECK_INT(got[kTIMImageElemOrigPicWidth].asInt(), 500);
    CHECK_INT(got[kTIMImageElemOrigPicHeight].asInt(), 300);
    CHECK_INT(got[kTIMImageElemThumbPicWidth].asInt(), 330);
    CHECK_INT(got[kTIMImageElemThumbPicHeight].asInt(), 198);
    fetch(Json::Value(), kTIMDownload_File, got[kTIMImageElemOrigId], Json::Value(), got[kTIMImageElemOrigUrl],
          got[kTIMImageElemOrigPicSize], picture, dir + "/orig");
    fetch(Json::Value(), kTIMDownload_File, got[kTIMImageElemLargeId], Json::Value(), got[kTIMImageElemLargeUrl],
          got[kTIMImageElemLargePicSize], picture, dir + "/large"); // not over 720, so it is the original
    fetch(Json::Value(), kTIMDownload_File, got[kTIMImageElemThumbId], Json::Value(), got[kTIMImageElemThumbUrl],
          got[kTIMImageElemThumbPicSize], "", dir + "/thumb");
}

void refuses(const std::string& dir) {
    Transfer unknown;
    CHECK(download(0, kTIMDownload_File, "0123456789abcdef0123456789abcdef", 0, "", dir + "/nothing", &unknown) != 0);
    CHECK(access((dir + "/nothing").c_str(), F_OK) != 0);
    Transfer empty;
    CHECK_INT(download(0, kTIMDownload_File, "", 0, "", dir + "/nothing", &empty), ERR_INVALID_PARAMETERS);
    CHECK_INT(TIMMsgDownloadElemToPath("{}", NULL, Outcome::came, NULL), TIM_ERR_PARAM);
}

} // namespace

int main() {
    Inbox inbox;
    init();
    login("alice");
    {
        const std::string dir = folder();
        Partner bob("bob");
        file(bob, inbox, dir);
        sound(bob, inbox, dir);
        video(bob, inbox, dir);
        image(bob, inbox, dir);
        refuses(dir);
    }
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("download", "a file, a sound, a video with its cover and an image in three sizes came with progress");
    return 0;
}
