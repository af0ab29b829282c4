"""Graft inside this process through its C ABI: an engine is opened once and asked turn by turn. Needs no torch."""
import ctypes
import json
import time

OK, TOKEN, LOGITS = 0, 0, 1  # graft_status, graft_event_type, graft_request_kind
GROUP = 128  # values of a quantised weight that share a scale


def engine_options(dtype, device, context, sequences=1, **more):
    """As JSON has them. int8 and int4: weights in groups over the arithmetic of the stored type."""
    options = {"device": device, "max_sequences": sequences, "context_limit": context, **more}
    if dtype in ("int8", "int4"):
        return options | {"quantization": {"bits": int(dtype[3:]), "group_size": GROUP}}
    return options | {"dtype": dtype}


class GraftLibrary:
    """libgraft.so, with the core beside it."""

    def __init__(self, path):
        self.functions = ctypes.CDLL(str(path))
        for name in ("last_error_message", "event_message"):
            getattr(self.functions, f"graft_{name}").restype = ctypes.c_char_p
        self.functions.graft_string_data.restype = ctypes.c_char_p
        self.functions.graft_tensor_data.restype = ctypes.c_void_p
        for name in ("event_token", "event_tag", "tensor_byte_size"):
            getattr(self.functions, f"graft_{name}").restype = ctypes.c_int64

    def call(self, name, *arguments):
        status = getattr(self.functions, f"graft_{name}")(*arguments)
        if status != OK:
            raise RuntimeError(f"graft_{name}: {self.functions.graft_last_error_message().decode()}")

    def make(self, name, *arguments):
        handle = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(handle))
        return handle

    def json(self, name, *arguments):
        text = self.make(name, *arguments)
        told = json.loads(self.functions.graft_string_data(text))
        self.functions.graft_string_free(text)
        return told

    def input_of(self, ids):
        made = self.make("input_new")
        self.call("input_set_tokens", made, (ctypes.c_int64 * len(ids))(*ids), ctypes.c_int64(len(ids)))
        return made


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
        return self.generate_all([ids], count)[0]

    def generate_all(self, prompts, count):
        """For each of several prompts, asked at once, `count` greedy tokens and the seconds at which each came."""
        library, functions = self.library, self.library.functions
        options, queue = library.make("request_options_new"), library.make("queue_new")
        library.call("request_options_set_max_tokens", options, ctypes.c_int64(count))
        library.call("request_options_set_greedy", options, 1)
        library.call("request_options_set_ignore_eos", options, 1)
        inputs = [library.input_of(ids) for ids in prompts]
        answers = [([], []) for _ in prompts]
        begin = time.perf_counter()
        requests = [library.make("request_submit", self.engine, asked, options, queue, ctypes.c_int64(tag))
                    for tag, asked in enumerate(inputs)]
        failed, left = None, len(prompts)
        while left:
            library.call("queue_next", queue, ctypes.c_int64(-1), self.event)
            if functions.graft_event_kind(self.event) == TOKEN:
                tokens, times = answers[functions.graft_event_tag(self.event)]
                times.append(time.perf_counter() - begin)
                tokens.append(functions.graft_event_token(self.event))
            elif functions.graft_event_status(self.event) != OK:
                failed = functions.graft_event_message(self.event).decode()
            left -= functions.graft_event_last(self.event)
        for handle in requests:
            functions.graft_request_free(handle)
        for handle in inputs:
            functions.graft_input_free(handle)
        functions.graft_queue_free(queue)
        functions.graft_request_options_free(options)
        if failed:
            raise RuntimeError(failed)
        return answers

    def logits(self, ids):
        """float32 [len(ids), vocabulary], as bytes."""
        library, functions = self.library, self.library.functions
        options, asked = library.make("request_options_new"), library.input_of(ids)
        library.call("request_options_set_kind", options, LOGITS)
        request = library.make("request_submit", self.engine, asked, options, None, ctypes.c_int64(0))
        try:
            library.call("request_wait", request, ctypes.c_int64(-1))
            tensor = library.make("request_tensor", request, b"logits", ctypes.c_int64(-1))
            told = ctypes.string_at(functions.graft_tensor_data(tensor), functions.graft_tensor_byte_size(tensor))
            functions.graft_tensor_free(tensor)
        finally:
            functions.graft_request_free(request)
            functions.graft_input_free(asked)
            functions.graft_request_options_free(options)
        return told

    def profile(self, ids, count):
        """The table of where the time of `count` tokens goes; each kernel is waited for, so the sum is more than a step."""
        self.library.call("engine_profile", self.engine, 1)
        self.generate(ids, count)
        taken = self.library.make("profile_take", self.engine)
        table = self.library.json("profile_table", taken)
        self.library.functions.graft_profile_free(taken)
        self.library.call("engine_profile", self.engine, 0)
        return table

    def info(self):
        """What the engine says of itself: device, dtype, weight_bytes and more."""
        return self.library.json("engine_info", self.engine)

    def step_seconds(self):
        """Of all steps so far, once nothing runs any more."""
        while True:
            stats = self.library.json("engine_stats", self.engine)
            if not stats["sequences_running"] and not stats["requests_waiting"]:
                return stats["step_seconds"]
            time.sleep(0.001)

    def close(self):
        self.library.functions.graft_event_free(self.event)
        self.library.call("engine_close", self.engine, ctypes.c_int64(10000))
        self.library.functions.graft_engine_free(self.engine)
