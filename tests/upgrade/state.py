"""What a user sees, in a form that lies in a fixture and compares between releases."""
import timbre
from timbre import GROUP

TIP = 5


def history(client, peer, kind, cloud=False):
    out, last = [], None
    while True:
        page = client.history(peer, 100, last=last, cloud=cloud, kind=kind)
        if not page:
            return out
        out, last = out + page, page[-1]


def message(m):
    return {"id": m["message_msg_id"], "seq": m["message_seq"], "status": m["message_status"], "sender": m["message_sender"],
            "time": m["message_server_time"], "peer_read": m.get("message_is_peer_read", False),
            "local": m.get("message_custom_str", ""), "elements": [element(e) for e in m["message_elem_array"]]}


def element(e):
    """What an element says; addresses of files change with the server's port."""
    return {k: v for k, v in e.items() if k == "elem_type" or k.startswith(("text_", "custom_", "face_", "location_"))
            or k in ("file_elem_file_name", "file_elem_file_id", "file_elem_file_size")}


def seen(client):
    """{conversation: what it shows}. Tips are counted; their wording may change."""
    out = {}
    for c in client.conversations():
        all_ = history(client, c["conv_id"], c["conv_type"])
        plain = [message(m) for m in all_ if not any(e["elem_type"] == TIP for e in m["message_elem_array"])]
        out[c["conv_id"]] = {
            "type": c["conv_type"], "unread": c["conv_unread_num"], "messages": plain, "tips": len(all_) - len(plain),
            "last": (c.get("conv_last_msg") or {}).get("message_msg_id", ""),
            "option": c.get("conv_recv_opt", 0) if c["conv_type"] == timbre.C2C or c["conv_type"] == GROUP else 0,
            "at": [m["conv_group_at_info_seq"] for m in c.get("conv_group_at_info_array") or []]}
    return out
