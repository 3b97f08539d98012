"""The demonstration: the real daemon, with a scanner to type at, a drawn light, a broker and a centre of its own.

Everything is temporary: the state folder, the broker, the centre. The daemon runs in the main thread, as it always does.
"""

import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TextIO

from agent.demo.board import Board
from agent.demo.broker import HOST, BrokerChoice, Listening, running_broker
from agent.demo.central import Central
from agent.demo.hints import Hint, hint_of
from agent.demo.indicator import DrawnIndicator
from agent.demo.plain import PlainLines
from agent.demo.play import FAST, SLOW, Play
from agent.demo.proof import missing_from, read_journal
from agent.demo.sample import KIOSK, ORDERS, SITE, STATION
from agent.demo.script import SCENES
from agent.demo.terminal import letter_by_letter
from agent.demo.typed_scanner import TypedScanner
from agent.demo.view import View, view_of
from agent.demo.words import Typed, typed_of
from agent.errors import KioskError
from agent.log import LineFormatter
from agent.settings import (
    Config,
    KioskSettings,
    MqttSettings,
    NoIndicatorSettings,
    StationSettings,
    UplinkSettings,
    WorkflowSettings,
)

__all__ = ["run"]
