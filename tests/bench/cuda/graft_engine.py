"""Graft inside this process through its C ABI, for peers.py: an engine is opened once and asked turn by turn."""
import ctypes
import json
import time

OK, TOKEN = 0, 0  # graft_status, graft_event_type


class GraftLibrary:
    """libgraft.so, with the core beside it."""

    def __init__(self, path):
        self.functions = ctypes.CDLL(str(path))
        for name in ("last_error_message", "event_message"):
            getattr(self.functions, f"graft_{name}").restype = ctypes.c_char_p
        self.functions.graft_string_data.restype = ctypes.c_char_p

    def call(self, name, *arguments):
        status = getattr(self.functions, f"graft_{name}")(*arguments)
        if status != OK:
            raise RuntimeError(f"graft_{name}: {self.functions.graft_last_error_message().decode()}")

    def make(self, name, *arguments):
        handle = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(handle))
        return handle


class GraftEngine:
    """A model directory on a device. Used by one thread; holds the model until close()."""

    def __init__(self, library, directory, options):
        self.library = library
        settings = library.make("engine_options_new")
        text = json.dumps(options).encode()
        library.call("engine_options_set_json", settings, text, ctypes.c_int64(len(text)))
        begin = time.perf_counter()
        self.engine = library.make("engine_open", str(directory).encode(), ctypes.c_int64(-1), settings)
        self.load_s = time.perf_counter() - begin
        library.functions.graft_engine_options_free(settings)
        self.event = library.make("event_new")

    def generate(self, ids, count):
        """`count` greedy tokens after `ids`, and the seconds at which each came."""
        library, functions = self.library, self.library.functions
        options, prompt = library.make("request_options_new"), library.make("input_new")
        library.call("request_options_set_max_tokens", options, ctypes.c_int64(count))
        library.call("request_options_set_greedy", options, 1)
        library.call("request_options_set_ignore_eos", options, 1)
        library.call("input_set_tokens", prompt, (ctypes.c_int64 * len(ids))(*ids), ctypes.c_int64(len(ids)))
        functions.graft_event_token.restype = ctypes.c_int64
        tokens, times = [], []
        begin = time.perf_counter()
        request = library.make("request_submit", self.engine, prompt, options, None, ctypes.c_int64(0))
        while functions.graft_request_next(request, ctypes.c_int64(-1), self.event) == OK:
            if functions.graft_event_kind(self.event) == TOKEN:
                times.append(time.perf_counter() - begin)
                tokens.append(functions.graft_event_token(self.event))
            elif functions.graft_event_status(self.event) != OK:
                raise RuntimeError(functions.graft_event_message(self.event).decode())
        functions.graft_request_free(request)
        functions.graft_input_free(prompt)
        functions.graft_request_options_free(options)
        return tokens, times

    def profile(self, ids, count):
        """The table of where the time of `count` tokens goes; each kernel is waited for, so the sum is more than a step."""
        functions = self.library.functions
        self.library.call("engine_profile", self.engine, 1)
        self.generate(ids, count)
        taken = self.library.make("profile_take", self.engine)
        text = self.library.make("profile_table", taken)
        table = json.loads(functions.graft_string_data(text))
        functions.graft_string_free(text)
        functions.graft_profile_free(taken)
        self.library.call("engine_profile", self.engine, 0)
        return table

    def info(self):
        """What the engine says of itself: device, dtype, weight_bytes and more."""
        text = self.library.make("engine_info", self.engine)
        told = json.loads(self.library.functions.graft_string_data(text))
        self.library.functions.graft_string_free(text)
        return told

    def close(self):
        self.library.functions.graft_event_free(self.event)
        self.library.call("engine_close", self.engine, ctypes.c_int64(10000))
        self.library.functions.graft_engine_free(self.engine)
