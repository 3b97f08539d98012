"""The reference for latency, the least that a scanner and a light need: Enter turns an LED on, X off."""

import sys

import evdev
from evdev import ecodes
from gpiozero import LED

ENTER, X, PIN = 28, 45, 12


def main(name: str) -> None:
    led = LED(PIN)
    devices = [evdev.InputDevice(path) for path in evdev.list_devices()]
    (keyboard,) = [device for device in devices if device.name == name]
    keyboard.grab()
    print("ready", flush=True)
    for event in keyboard.read_loop():
        if event.type == ecodes.EV_KEY and event.value == 1 and event.code in (ENTER, X):
            led.value = event.code == ENTER


if __name__ == "__main__":
    main(sys.argv[1])
