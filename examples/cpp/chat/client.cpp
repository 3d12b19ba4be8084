#include "client.h"

#include <future>
#include <memory>

namespace {

// Call is one call under way. The library answers it exactly once if it took it, and never otherwise; so while it is under
// way it belongs to the library.
class Call {
public:
    typedef std::function<int(TIMCommCallback, const void* user_data)> Start;

    static Json finish(const std::string& name, const Start& start, const Client::Progress& progress = Client::Progress()) {
        std::unique_ptr<Call> call(new Call(progress));
        std::future<Result> answer = call->promise_.get_future();
        const int returned = start(&Call::came, call.get());
        if (returned != TIM_SUCC) {
            throw Failure(returned, name + " was not accepted: " + std::to_string(returned));
        }
        call.release();
        const Result r = answer.get();
        if (r.code != 0) {
            throw Failure(r.code, name + ": " + std::to_string(r.code) + " " + r.text);
        }
        return r.json.empty() ? Json() : Json::parse(r.json);
    }

private:
    struct Result {
        int code;
        std::string text, json;
    };
    explicit Call(const Client::Progress& progress) : progress_(progress) {}

    static void came(int32_t code, const char* desc, const char* json, const void* user_data) {
        Call* call = static_cast<Call*>(const_cast<void*>(user_data));
        if (call->progress_ && code == 0 && std::string(desc) == "downloading") { // a download tells its progress first
            const Json sizes = Json::parse(json);
            call->progress_(sizes[kTIMMsgDownloadElemResultCurrentSize].number(), sizes[kTIMMsgDownloadElemResultTotalSize].number());
            return;
        }
        std::unique_ptr<Call> end(call);
        call->promise_.set_value(Result{code, desc, json}); // copies: the texts end with this function
    }

    std::promise<Result> promise_;
    Client::Progress progress_;
};

Events& events_of(const void* user_data) { return *static_cast<Events*>(const_cast<void*>(user_data)); }

void on_messages(const char* json, const void* user_data) {
    const Json list = Json::parse(json);
    for (std::size_t i = 0; i < list.size(); i++) {
        events_of(user_data).message(list[i]);
    }
}

void on_revoked(const char* json, const void* user_data) {
    const Json list = Json::parse(json);
    for (std::size_t i = 0; i < list.size(); i++) {
        events_of(user_data).revoked(list[i]);
    }
}

void on_receipts(const char* json, const void* user_data) {
    const Json list = Json::parse(json);
    for (std::size_t i = 0; i < list.size(); i++) {
        events_of(user_data).receipt(list[i]);
    }
}

void on_uploading(const char*, uint32_t, uint32_t done, uint32_t total, const void* user_data) {
    events_of(user_data).uploading(done, total);
}

void on_network(TIMNetworkStatus status, int32_t, const char*, const void* user_data) {
    static const char* const names[] = {"connected", "no connection", "connecting", "the connection failed"};
    events_of(user_data).connection(status <= kTIMConnectFailed ? names[status] : "?");
}

void on_kicked(const void* user_data) { events_of(user_data).ended("this user has logged in elsewhere"); }
void on_expired(const void* user_data) { events_of(user_data).ended("the ticket is too old"); }

void listen(Events* events) {
    TIMAddRecvNewMsgCallback(on_messages, events);
    TIMSetMsgRevokeCallback(on_revoked, events);
    TIMSetMsgReadedReceiptCallback(on_receipts, events);
    TIMSetMsgElemUploadProgressCallback(on_uploading, events);
    TIMSetNetworkStatusListenerCallback(on_network, events);
    TIMSetKickedOfflineCallback(on_kicked, events);
    TIMSetUserSigExpiredCallback(on_expired, events);
}

void ignore(int32_t, const char*, const char*, const void*) {}

} // namespace

Client::Client(uint64_t app, const std::string& user, const std::string& user_sig, Events& events) {
    listen(&events); // before the login, so that nothing is missed
    const int returned = TIMInit(app, NULL);
    if (returned != TIM_SUCC) {
        throw Failure(returned, "TIMInit: " + std::to_string(returned));
    }
    try {
        Call::finish("TIMLogin", [&](TIMCommCallback cb, const void* word) { return TIMLogin(user.c_str(), user_sig.c_str(), cb, word); });
    } catch (...) {
        TIMUninit();
        throw;
    }
}

Client::~Client() {
    try {
        Call::finish("TIMLogout", [](TIMCommCallback cb, const void* word) { return TIMLogout(cb, word); });
    } catch (const std::exception&) { // kicked off already
    }
    TIMUninit(); // after it no callback runs any more
}

Json Client::send(const std::string& peer, const Json& element) {
    const std::string message = Json::object().set(kTIMMsgElemArray, Json::array().add(element)).dump();
    return Call::finish("sending", [&](TIMCommCallback cb, const void* word) {
        return TIMMsgSendMessage(peer.c_str(), kTIMConv_C2C, message.c_str(), NULL, cb, word);
    });
}

Json Client::history(const std::string& peer, const Json& before, int count) {
    Json param = Json::object().set(kTIMMsgGetMsgListParamCount, count).set(kTIMMsgGetMsgListParamIsRamble, true);
    if (before.dump() != "null") {
        param.set(kTIMMsgGetMsgListParamLastMsg, before);
    }
    const std::string text = param.dump();
    return Call::finish("history", [&](TIMCommCallback cb, const void* word) {
        return TIMMsgGetMsgList(peer.c_str(), kTIMConv_C2C, text.c_str(), cb, word);
    });
}

Json Client::search(const std::string& peer, const std::string& words) {
    const std::string param = Json::object()
                                  .set(kTIMMsgSearchParamKeywordArray, Json::array().add(words))
                                  .set(kTIMMsgSearchParamConvId, peer)
                                  .set(kTIMMsgSearchParamConvType, static_cast<int>(kTIMConv_C2C))
                                  .set(kTIMMsgSearchParamPageSize, 20)
                                  .dump();
    const Json found = Call::finish("searching", [&](TIMCommCallback cb, const void* word) {
        return TIMMsgSearchLocalMessages(param.c_str(), cb, word);
    });
    return found[kTIMMsgSearchResultItemArray][0][kTIMMsgSearchResultItemMessageArray];
}

void Client::download(const Json& file_element, const std::string& path, const Progress& progress) {
    const std::string param = Json::object()
                                  .set(kTIMMsgDownloadElemParamType, static_cast<int>(kTIMDownload_File))
                                  .set(kTIMMsgDownloadElemParamId, file_element[kTIMFileElemFileId])
                                  .set(kTIMMsgDownloadElemParamUrl, file_element[kTIMFileElemUrl])
                                  .dump();
    Call::finish("downloading", [&](TIMCommCallback cb, const void* word) {
        return TIMMsgDownloadElemToPath(param.c_str(), path.c_str(), cb, word);
    }, progress);
}

void Client::mark_read(const std::string& peer, const Json& message) {
    TIMMsgReportReaded(peer.c_str(), kTIMConv_C2C, message.dump().c_str(), ignore, NULL);
}
