"""Tests a service: check.py URL MODEL EMBEDDING_MODEL COMMAND... (README.md). Writes "PASSED FAILED" to $GRAFT_COUNTS."""
import base64
import concurrent.futures
import json
import math
import os
import struct
import sys
import tempfile
import unittest

import openai

from service import Service, name_of

URL, MODEL, encoder, *COMMAND = sys.argv[1:]
links = tempfile.TemporaryDirectory()  # the encoder under a name of its own: both directories may be called "model"
EMBEDDING_MODEL = os.path.join(links.name, "encoder")
os.symlink(os.path.abspath(encoder), EMBEDDING_MODEL)
NAME, EMBEDDING_NAME = name_of(MODEL), name_of(EMBEDDING_MODEL)
QUESTION = [{"role": "user", "content": "What is 27 + 58?"}]
NEVER_ENDS = {"0": -100}  # a bias against the token that ends an answer


def client():
    return openai.OpenAI(base_url=URL + "/v1", api_key="none", max_retries=0, timeout=120)


def start(**flags):
    return Service(URL, COMMAND, model=MODEL, threads=1, **flags)


def ask(text, **more):
    answer = client().chat.completions.create(
        model=NAME, messages=[{"role": "user", "content": text}], temperature=0, **more)
    return answer.choices[0].message.content


class Interface(unittest.TestCase):
    """What OpenAI's client gets, on one service for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.service = start(embedding_model=EMBEDDING_MODEL).__enter__()
        cls.addClassCleanup(cls.service.__exit__)

    def test_models(self):
        self.assertEqual({model.id for model in client().models.list()}, {NAME, EMBEDDING_NAME})
        self.assertEqual(client().models.retrieve(NAME).id, NAME)
        with self.assertRaises(openai.NotFoundError):
            client().models.retrieve("no-such-model")

    def test_chat(self):
        answer = client().chat.completions.create(model=NAME, messages=QUESTION, temperature=0)
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.choices[0].message.content, "85")
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.prompt_tokens, 13)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_chat_streamed(self):
        chunks = list(client().chat.completions.create(
            model=NAME, messages=QUESTION, temperature=0, stream=True, stream_options={"include_usage": True}))
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)
        self.assertEqual({chunk.object for chunk in chunks}, {"chat.completion.chunk"})
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        deltas = [chunk.choices[0].delta.content or "" for chunk in chunks[:-1]]
        self.assertEqual("".join(deltas), "85")
        self.assertGreater(sum(1 for delta in deltas if delta), 1)
        self.assertEqual(chunks[-2].choices[0].finish_reason, "stop")
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.prompt_tokens, 13)

    def test_no_usage_unless_asked(self):
        chunks = list(client().chat.completions.create(model=NAME, messages=QUESTION, stream=True))
        self.assertTrue(all(chunk.usage is None and chunk.choices for chunk in chunks))

    def test_content_in_parts(self):
        parts = [{"type": "text", "text": "What is "}, {"type": "text", "text": "27 + 58?"}]
        answer = client().chat.completions.create(
            model=NAME, messages=[{"role": "user", "content": parts}], temperature=0)
        self.assertEqual(answer.choices[0].message.content, "85")

    def test_several_answers(self):
        answer = client().chat.completions.create(model=NAME, messages=QUESTION, temperature=0, n=3)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2])
        self.assertEqual([choice.message.content for choice in answer.choices], ["85"] * 3)
        one = client().chat.completions.create(model=NAME, messages=QUESTION, temperature=0)
        self.assertEqual(answer.usage.prompt_tokens, one.usage.prompt_tokens)
        self.assertEqual(answer.usage.completion_tokens, 3 * one.usage.completion_tokens)
        texts = ["", "", ""]
        for chunk in client().chat.completions.create(
                model=NAME, messages=QUESTION, temperature=0, n=3, stream=True):
            texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
        self.assertEqual(texts, ["85"] * 3)

    def test_stop_and_length(self):
        self.assertEqual(ask("Sort 41, 7, 23."), "7, 23, 41")
        for stop in ", 4", [", 4", "nowhere"]:
            answer = client().chat.completions.create(
                model=NAME, messages=[{"role": "user", "content": "Sort 41, 7, 23."}], temperature=0, stop=stop)
            self.assertEqual(answer.choices[0].message.content, "7, 23")
            self.assertEqual(answer.choices[0].finish_reason, "stop")
        for limit in {"max_tokens": 1}, {"max_completion_tokens": 1}:
            answer = client().chat.completions.create(model=NAME, messages=QUESTION, temperature=0, **limit)
            self.assertEqual(answer.choices[0].message.content, "8")
            self.assertEqual(answer.choices[0].finish_reason, "length")
            self.assertEqual(answer.usage.completion_tokens, 1)

    def test_seed_repeats(self):
        def text(seed):
            return client().completions.create(
                model=NAME, prompt="W", max_tokens=40, temperature=2, seed=seed, logit_bias=NEVER_ENDS).choices[0].text
        self.assertEqual(text(7), text(7))
        self.assertGreater(len({text(seed) for seed in range(4)}), 1)

    def test_logprobs_of_chat(self):
        for streamed in False, True:
            answer = client().chat.completions.create(
                model=NAME, messages=QUESTION, temperature=0, logprobs=True, top_logprobs=2, stream=streamed)
            if streamed:
                content = [token for chunk in answer if chunk.choices and chunk.choices[0].logprobs
                           for token in chunk.choices[0].logprobs.content or []]
            else:
                content = answer.choices[0].logprobs.content
            self.assertEqual([token.token for token in content], ["8", "5"])
            for token in content:
                self.assertEqual(bytes(token.bytes).decode(), token.token)
                self.assertEqual(len(token.top_logprobs), 2)
                self.assertEqual(token.top_logprobs[0].logprob, token.logprob)
                self.assertTrue(-1 < token.logprob <= 0)

    def test_completion(self):
        # the same conversation, as the text that the chat template makes of it
        prompt = "<|user|>What is 27 + 58?<|end|><|assistant|>"
        answer = client().completions.create(model=NAME, prompt=prompt, temperature=0, logprobs=2)
        self.assertEqual(answer.object, "text_completion")
        self.assertEqual(answer.choices[0].text, "85")
        self.assertEqual(answer.choices[0].logprobs.tokens, ["8", "5"])
        self.assertEqual(answer.choices[0].logprobs.text_offset, [0, 1])
        self.assertEqual([len(top) for top in answer.choices[0].logprobs.top_logprobs], [2, 2])
        chunks = list(client().completions.create(model=NAME, prompt=prompt, temperature=0, stream=True))
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), "85")
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_several_prompts(self):
        prompts = [f"<|user|>What is {number} + 10?<|end|><|assistant|>" for number in (20, 35)]
        answer = client().completions.create(model=NAME, prompt=prompts, temperature=0, n=2)
        self.assertEqual([choice.text for choice in answer.choices], ["30", "30", "45", "45"])
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2, 3])

    def test_completion_has_16_tokens_unless_asked(self):
        answer = client().completions.create(model=NAME, prompt="W", logit_bias=NEVER_ENDS)
        self.assertEqual(answer.usage.completion_tokens, 16)
        self.assertEqual(answer.choices[0].finish_reason, "length")

    def test_prompt_as_tokens(self):
        answer = client().completions.create(model=NAME, prompt=[1, 5, 6], temperature=0, max_tokens=3)
        self.assertEqual(answer.usage.prompt_tokens, 3)

    def test_embeddings(self):
        texts = ["A cat sits on the mat.", "A kitten rests on the rug.", "Quarterly revenue fell."]
        answer = client().embeddings.create(model=EMBEDDING_NAME, input=texts)  # the client asks for base64
        cat, kitten, revenue = [item.embedding for item in answer.data]
        self.assertEqual([item.index for item in answer.data], [0, 1, 2])
        self.assertAlmostEqual(sum(value * value for value in cat), 1, places=4)
        product = lambda a, b: sum(x * y for x, y in zip(a, b))
        self.assertGreater(product(cat, kitten), product(cat, revenue) + 0.3)
        self.assertGreater(answer.usage.prompt_tokens, 0)
        status, _, plain = self.service.post("/v1/embeddings", {"model": EMBEDDING_NAME, "input": texts[0]})
        self.assertEqual(status, 200)
        for found, expected in zip(plain["data"][0]["embedding"], cat, strict=True):
            self.assertTrue(math.isclose(found, expected, rel_tol=1e-3, abs_tol=1e-5))
        status, _, coded = self.service.post(
            "/v1/embeddings", {"model": EMBEDDING_NAME, "input": texts[0], "encoding_format": "base64"})
        raw = base64.b64decode(coded["data"][0]["embedding"])
        self.assertEqual(len(struct.unpack(f"<{len(raw) // 4}f", raw)), len(cat))

    def test_64_clients_get_the_answers_of_one(self):
        questions = [f"What is {11 + i} + {83 - i}?" if i % 2 else f"What is {i + 1} in Roman numerals?" for i in range(64)]
        alone = [ask(question) for question in questions]
        self.assertGreater(len(set(alone)), 10)
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            together = list(pool.map(ask, questions))
        self.assertEqual(together, alone)

    def test_bad_requests_name_the_culprit(self):
        good = {"model": NAME, "messages": QUESTION}
        chat, text, embed = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
        cases = [
            (chat, {"model": NAME}, "messages"),
            (chat, {"messages": QUESTION}, "model"),
            (chat, good | {"messages": []}, "messages"),
            (chat, good | {"messages": [{"role": "cook", "content": "x"}]}, "messages"),
            (chat, good | {"messages": [{"role": "user", "content": 3}]}, "messages"),
            (chat, good | {"temperature": 3}, "temperature"),
            (chat, good | {"temperature": "hot"}, "temperature"),
            (chat, good | {"top_p": -1}, "top_p"),
            (chat, good | {"n": 0}, "n"),
            (chat, good | {"max_tokens": 0}, "max_tokens"),
            (chat, good | {"max_completion_tokens": -5}, "max_completion_tokens"),
            (chat, good | {"stop": ["a", "b", "c", "d", "e"]}, "stop"),
            (chat, good | {"stop": ""}, "stop"),
            (chat, good | {"top_logprobs": 2}, "top_logprobs"),
            (chat, good | {"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
            (chat, good | {"stream_options": {"include_usage": True}}, "stream_options"),
            (chat, good | {"logit_bias": {"x": 1}}, "logit_bias"),
            (chat, good | {"presence_penalty": 9}, "presence_penalty"),
            (chat, good | {"tools": [{}]}, "tools"),
            (chat, good | {"temprature": 1}, "temprature"),
            (text, {"model": NAME}, "prompt"),
            (text, {"model": NAME, "prompt": {}}, "prompt"),
            (text, {"model": NAME, "prompt": "a", "echo": True}, "echo"),
            (text, {"model": NAME, "prompt": "a", "logprobs": 6}, "logprobs"),
            (embed, {"model": EMBEDDING_NAME}, "input"),
            (embed, {"model": EMBEDDING_NAME, "input": "a", "encoding_format": "hex"}, "encoding_format"),
            (embed, {"model": EMBEDDING_NAME, "input": "a", "dimensions": 3}, "dimensions"),
        ]
        for path, body, culprit in cases:
            with self.subTest(path=path, body=body):
                status, _, answer = self.service.post(path, body)
                self.assertEqual(status, 400, answer)
                self.assertEqual(answer["error"]["param"], culprit)
                self.assertIn(culprit, answer["error"]["message"])
                self.assertEqual(answer["error"]["type"], "invalid_request_error")
        for body in "{", "[]", '{"model": "a"} {}', b"\xff":
            status, _, answer = self.service.post(chat, body)
            self.assertEqual((status, answer["error"]["type"]), (400, "invalid_request_error"))
        with self.assertRaises(openai.NotFoundError):
            client().chat.completions.create(model="gpt", messages=QUESTION)
        with self.assertRaises(openai.BadRequestError) as refusal:  # the context has 256 tokens
            client().completions.create(model=NAME, prompt="word " * 3000)
        self.assertEqual(refusal.exception.body["code"], "context_length_exceeded")
        self.assertEqual(self.service.post("/v1/nothing", {})[0], 404)

    def test_metrics(self):
        before = self.service.metrics(NAME)
        answer = client().chat.completions.create(model=NAME, messages=QUESTION, temperature=0)
        after = self.service.wait_for(
            NAME, lambda found: found["graft_steps_total"] > before["graft_steps_total"])
        grown = lambda name: after[name] - before[name]
        self.assertEqual(grown("graft_prompt_tokens_total"), answer.usage.prompt_tokens)
        self.assertEqual(grown("graft_completion_tokens_total"), answer.usage.completion_tokens)
        self.assertGreater(grown("graft_tokens_computed_total"), 0)
        self.assertIn('graft_http_requests_total{path="/v1/chat/completions",code="200"}', self.service.get("/metrics")[1])


def long_stream(service, **more):
    """A streamed answer that goes on until the context is full, after its first chunk; its connection and response."""
    body = {"model": NAME, "messages": QUESTION, "stream": True, "logit_bias": NEVER_ENDS, "temperature": 1.5} | more
    connection = service.connection()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status == 200:
        response.readline()
    return connection, response


class Limits(unittest.TestCase):
    """Services of their own, with one slot."""

    def test_without_an_embedding_model(self):
        with start():
            with self.assertRaises(openai.NotFoundError):
                client().embeddings.create(model=EMBEDDING_NAME, input="a")

    def test_disconnect_frees_the_slot(self):
        with start(max_sequences=1) as service:
            for _ in range(10):
                before = service.metrics(NAME)
                connection, response = long_stream(service)
                service.wait_for(NAME, lambda found: found["graft_sequences_running"] == 1)
                response.close()
                connection.close()
                noticed = service.wait_for(
                    NAME, lambda found: found["graft_http_cancelled_total"] > before["graft_http_cancelled_total"])
                freed = service.wait_for(NAME, lambda found: found["graft_sequences_running"] == 0)
                self.assertLessEqual(freed["graft_steps_total"] - noticed["graft_steps_total"], 2)
                self.assertLess(freed["graft_steps_total"] - before["graft_steps_total"], 200)
                self.assertEqual(ask("What is 27 + 58?"), "85")

    def test_a_full_queue_is_429(self):
        with start(max_sequences=1, max_queue=1) as service:
            with concurrent.futures.ThreadPoolExecutor(12) as pool:
                streams = list(pool.map(lambda _: long_stream(service), range(12)))
            refused = [response for _, response in streams if response.status == 429]
            self.assertTrue(refused)
            for response in refused:
                self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
                self.assertEqual(json.loads(response.read())["error"]["code"], "queue_full")
            served = [response for _, response in streams if response.status == 200]
            self.assertTrue(served)
            for response in served:
                self.assertTrue(response.read().endswith(b"data: [DONE]\n\n"))
            self.assertEqual(ask("What is 27 + 58?"), "85")
            for connection, _ in streams:
                connection.close()

    def test_sigterm_lets_answers_finish(self):
        with start(max_sequences=2) as service:
            streams = [long_stream(service) for _ in range(3)]
            service.terminate()
            rest = [response.read() for _, response in streams]
            for text in rest:
                self.assertTrue(text.endswith(b"data: [DONE]\n\n"))
                self.assertIn(b'"finish_reason":"length"', text.replace(b": ", b":"))
            for connection, _ in streams:
                connection.close()
            self.assertEqual(service.process.wait(60), 0)
            with self.assertRaises(OSError):
                service.get("/healthz")


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len({id(case) for case, _ in result.failures + result.errors})
    if counts := os.environ.get("GRAFT_COUNTS"):
        with open(counts, "w") as file:
            file.write(f"{result.testsRun - failed} {failed}\n")
    sys.exit(0 if result.wasSuccessful() else 1)
