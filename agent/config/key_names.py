"""The names of keys that a scanner may press for GS, with their codes, as in linux/input-event-codes.h.

Modifiers, locks and the keys that end a line are left out: they have a meaning of their own.
"""

__all__ = ["GS_KEYS"]

_IN_ORDER = (
    "ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB",
    "Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL",
    "A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH",
    "Z X C V B N M COMMA DOT SLASH RIGHTSHIFT KPASTERISK LEFTALT SPACE CAPSLOCK",
    "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK",
    "KP7 KP8 KP9 KPMINUS KP4 KP5 KP6 KPPLUS KP1 KP2 KP3 KP0 KPDOT - ZENKAKUHANKAKU 102ND F11 F12",
    "RO KATAKANA HIRAGANA HENKAN KATAKANAHIRAGANA MUHENKAN KPJPCOMMA KPENTER RIGHTCTRL KPSLASH SYSRQ",
    "RIGHTALT LINEFEED HOME UP PAGEUP LEFT RIGHT END DOWN PAGEDOWN INSERT DELETE",
    "MACRO MUTE VOLUMEDOWN VOLUMEUP POWER KPEQUAL KPPLUSMINUS PAUSE SCALE KPCOMMA HANGEUL HANJA YEN",
    "LEFTMETA RIGHTMETA COMPOSE STOP AGAIN PROPS UNDO FRONT COPY OPEN PASTE FIND CUT HELP MENU",
)
"""The keys with the codes from 1 on; `-` is a code without a key."""

_OF_THEIR_OWN = {
    "ENTER", "KPENTER", "LINEFEED", "CAPSLOCK", "NUMLOCK", "SCROLLLOCK", "LEFTCTRL", "RIGHTCTRL", "LEFTSHIFT",
    "RIGHTSHIFT", "LEFTALT", "RIGHTALT", "LEFTMETA", "RIGHTMETA", "-",
}  # fmt: skip

GS_KEYS: dict[str, int] = {
    **{
        f"KEY_{name}": code
        for code, name in enumerate(" ".join(_IN_ORDER).split(), start=1)
        if name not in _OF_THEIR_OWN
    },
    **{f"KEY_F{number}": 170 + number for number in range(13, 25)},
}
