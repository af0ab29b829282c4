"""Writes small models with chat templates, and what Transformers renders with them.

    python make_chats.py OUT_DIR

For each style: OUT_DIR/chats/NAME/ with a tokenizer, its configuration and templates, and cases.json with
  [{"messages", "options", "text" and "ids", or "error" (of raise_exception)}].
The templates are written for these tests, in the styles that well-known models use.
"""

import json
import os
import shutil
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

CHATML = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}
{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

LLAMA3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + tool_call.name + '", ' }}
        {{- '"parameters": ' }}
        {{- tool_call.arguments | tojson }}
        {{- "}" }}
        {{- "<|eot_id|>" }}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
        {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant") }}
    {%- endif %}
    {%- set ns.index = ns.index + 1 %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, found " ~ message["role"] ~ "!") }}
    {%- endif %}
{%- endfor %}
{#- {{ user_messages | length }} of them #}
"""

QWEN3 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""

GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}
"""

HERMES = """{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {
    "string": "str",
    "number": "float",
    "integer": "int",
    "boolean": "bool"
} %}
{%- if basic_type_map[json_spec.type] is defined %}
    {{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
    {{- "list[" +  json_to_python_type(json_spec|items|list|length and json_spec["items"]) + "]"}}
{%- else %}
    {{- "Any" }}
{%- endif %}
{%- endmacro %}
{{- bos_token }}
{{- '<|im_start|>system\\nYou are a function calling AI model. <tools> ' }}
{%- for tool in tools %}
    {%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
    {{- '{"type": "function", "function": ' }}
    {{- '{"name": "' + tool.name + '", "description": "' + tool.name + '(' }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {{- param_name + ": " + json_to_python_type(param_fields) }}
        {%- if not loop.last %}{{- ", " }}{%- endif %}
    {%- endfor %}
    {{- ")" }}
    {{- '", "parameters": ' }}
    {{- (tool.parameters if tool.parameters.properties else {}) | tojson }}
    {{- "}" }}
    {%- if not loop.last %}{{- "\\n" }}{%- endif %}
{%- endfor %}
{{- " </tools><|im_end|>\\n" }}
{%- for message in messages %}
    {%- if message.role == "assistant" and message.tool_calls is defined %}
        {{- "<|im_start|>" + message.role }}
        {%- for tool_call in message.tool_calls %}
            {{- '\\n<tool_call>\\n{"name": "' + tool_call.function.name + '", "arguments": ' }}
            {{- tool_call.function.arguments|tojson(separators=(",", ":"), sort_keys=True) }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}{{- '<|im_start|>tool\\n' }}{%- endif %}
        {{- '<tool_response>\\n' + message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or loop.nextitem.role != "tool" %}{{- '<|im_end|>' }}{%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

PLAIN = """{% for message in messages %}
  {% if message.role == 'assistant' %}
    {%- generation %}
A: {{ message.content }}{% set inner = 1 %}
    {% endgeneration %}{{ inner is defined }}
  {% elif message.role == 'skip' %}
    {% continue %}
  {% elif message.role == 'stop' %}
    {% break %}
  {% else %}
U: {{ message.content }}
  {% endif %}
{% endfor %}
{% raw %}{{ kept }} {% generation %}{% endraw %} {{ "{% generation %}" }}{# {% generation %} #}
"""

# One thing per line, compared as a whole.
ODDS = """{{ true }} {{ none }} {{ 1.0 }} {{ 1e16 }} {{ 1e-7 }} {{ 0.1 }} {{ x_float }} {{ x_big }} {{ undefined_thing }}|
{{ [1, 'a', none, true, 2.5, "it's"] }} {{ {'k': 'v', 'n': [1, 2]} }} {{ (1, 2) }} {{ ('a',) }}
{{ messages[0].content.split() }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a b c'.rsplit(' ', 1) }}
{{ 'xxabcxx'.strip('x') }} {{ 'prefix-rest'.removeprefix('prefix-') }} {{ 'rest.txt'.removesuffix('.txt') }}
{{ 'k=v=w'.partition('=') }} {{ 'k=v=w'.rpartition('=') }} {{ '-'.join(['a', 'b']) }} {{ 'abcabc'.replace('b', 'XX', 1) }}
{{ 'Hello'.upper() }} {{ 'Hello'.lower() }} {{ 'hello world'.title() }} {{ 'hello'.capitalize() }} {{ 'abc'.find('c') }}
{{ messages[0].get('name', 'nobody') }} {{ messages[0].keys() | list }} {{ messages[0].items() | list }}
{% for k, v in {'z': 1, 'a': 2}.items() %}{{ k }}={{ v }};{% endfor %}
{% for k, v in {'z': 1, 'a': 2}|dictsort %}{{ k }}={{ v }};{% endfor %}
{{ x_nested | tojson }}
{{ x_nested | tojson(indent=2) }}
{{ x_nested | tojson(ensure_ascii=True) }}
{{ x_nested | tojson(separators=(',', ':'), sort_keys=true) }}
{{ [] | tojson }} {{ {} | tojson(indent=2) }} {{ [1.0, 1e22, 1e-9, 123456.789] | tojson }} {{ "<a href='x'>&" | tojson }}
{{ [3, 1, 2] | sort | join(',') }} {{ ['b', 'a'] | map('upper') | join('/') }} {{ [1, 2, 3] | first }} {{ 'abc'[::-1] }}
{{ 7 // 2 }} {{ 7 / 2 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 'ab' * 3 }} {{ 1 ~ 'x' ~ 2 }} {{ 'b' in 'abc' }} {{ 3 if false }}|
{{ 'a' is string }} {{ {} is mapping }} {{ [] is iterable }} {{ 'a' is sequence }} {{ 1 is number }} {{ none is none }}
{{ 'yes' if 'content' in messages[0] else 'no' }} {{ messages | length }} {{ messages | selectattr('role', 'ne', 'user') | list | length }}
{% set ns = namespace(found=false) %}{% for m in messages %}{% set ns.found = ns.found or m.role == 'user' %}{% endfor %}{{ ns.found }}
{% macro shout(text, mark='!') -%}{{ text | upper }}{{ mark }}{%- endmacro %}{{ shout('hey') }} {{ shout('hey', mark='?') }}
{% call(x) wrap() %}inner{% endcall %}
{{ 'line\\nbreak' | indent(2) }} {{ '  trim me ' | trim }} {{ '%s-%d' | format('a', 3) }} {{ x_nested.list[-1] }} {{ x_nested['list'][1:] }}
{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}
x\ttabs and  {{- ' control ' -}}  spaces
""".replace("{% call(x) wrap() %}inner{% endcall %}\n", "")

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Gibt das Wetter für <eine> Stadt & mehr: 天気",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "The city's \"name\""},
        "days": {"type": "integer", "minimum": 1, "default": 3}, "ratio": {"type": "number", "maximum": 0.5},
        "tags": {"type": "array", "items": {"type": "string"}}}, "required": ["city"]}}}
NO_ARGUMENTS = {"type": "function", "function": {
    "name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}

SYSTEM = {"role": "system", "content": " Be brief.\nVery brief. "}
USER = {"role": "user", "content": "  What's the \"weather\" in 東京? \\n <b>&amp;</b> 😀 "}
ANSWER = {"role": "assistant", "content": "Let me look.\n\n"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {
    "name": "get_weather", "arguments": {"city": "Tōkyō", "days": 2, "ratio": 0.25, "tags": ["a", "b"], "x": None}}}]}
RESULT = {"role": "tool", "name": "get_weather", "content": "{\"celsius\": 21.5}"}
THOUGHT = {"role": "assistant", "content": "<think>\nHm. It is warm.\n</think>\n\nIt is warm."}
REASONED = {"role": "assistant", "reasoning": "Hm.\n", "content": "Warm.", "name": None}
PARTS = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is this? "}]}

TALK = [USER, ANSWER, {"role": "user", "content": "And tomorrow?"}]
TOOL_TALK = [USER, CALL, RESULT, RESULT, ANSWER]
NESTED = {"b": [1, 2.5, None, True, {"ü": "\u2028\x07\"\\/"}], "a": {}, "list": ["x", "y", "z"], "e": [], "big": 12345678901}

# name: (template or {name: template}, whether Transformers writes it as a file of its own, cases)
STYLES = {
    "chatml": (CHATML, True, [([USER], {}), (TALK, {}), ([SYSTEM, *TALK], {"add_generation_prompt": False}),
                              ([USER, ANSWER], {"continue_final_message": True})]),
    "llama3": (LLAMA3, True, [([USER], {}), ([SYSTEM, *TALK], {"date_string": "1 Jan 2025"}),
                              (TOOL_TALK, {"tools": [WEATHER, NO_ARGUMENTS]}),
                              ([USER, {**CALL, "tool_calls": CALL["tool_calls"] * 2}], {}),
                              ([USER, ANSWER], {"continue_final_message": True})]),
    "mistral": (MISTRAL, False, [([USER], {}), ([SYSTEM, *TALK], {}), ([USER, USER], {}), ([ANSWER, USER], {}),
                                 ([USER, {"role": "tool", "content": "x"}], {}), ([SYSTEM, USER, ANSWER], {})]),
    "qwen3": (QWEN3, True, [([USER], {}), ([USER], {"enable_thinking": False}), ([USER], {"enable_thinking": True}),
                            ([SYSTEM, USER, THOUGHT, *TALK], {}), ([USER, THOUGHT], {"add_generation_prompt": False}),
                            ([USER, REASONED], {"add_generation_prompt": False}), ([SYSTEM, *TOOL_TALK], {"tools": [WEATHER]}),
                            (TOOL_TALK, {"tools": [WEATHER, NO_ARGUMENTS], "enable_thinking": False}),
                            ([USER, REASONED], {"continue_final_message": "reasoning_content"})]),
    "gemma": (GEMMA, True, [([USER], {}), ([SYSTEM, *TALK], {}), ([USER, USER], {}), ([PARTS], {}),
                            ([{**SYSTEM, "content": [{"type": "text", "text": "Be kind."}]}, PARTS, ANSWER], {}),
                            ([{"role": "user", "content": 3}], {}), ([PARTS], {"continue_final_message": True})]),
    "hermes": ({"default": CHATML, "tool_use": HERMES}, False, [
        ([USER], {}), (TOOL_TALK, {"tools": [WEATHER, NO_ARGUMENTS]}), ([SYSTEM, *TALK], {"tools": [WEATHER]}),
        ([USER], {"chat_template": "tool_use", "tools": [WEATHER]}), ([USER], {"chat_template": "default", "tools": [WEATHER]}),
        ([USER], {"chat_template": "{{ messages[0].role }}{{ bos_token }}"})]),
    "two_files": ({"default": CHATML, "rag": "{% for d in documents %}{{ d.title }}: {{ d.text }}\n{% endfor %}"}, True, [
        ([USER], {}), ([USER], {"chat_template": "rag", "documents": [{"title": "T", "text": "x"}]})]),
    "plain": (PLAIN, True, [([USER, ANSWER, {"role": "skip", "content": ""}, USER, {"role": "stop"}, USER], {})]),
    "odds": (ODDS, True, [(TALK, {"x_nested": NESTED, "x_float": 3.0, "x_big": 2**40})]),
    "crlf": (CHATML.replace("\n", "\r\n") + "\r\n\r\n", False, [(TALK, {})]),
}


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>",
                                   extra_special_tokens=["<|im_start|>", "<|im_end|>", "<|eot_id|>"])


def case(tokenizer, messages, options):
    entry = {"messages": messages, "options": options}
    asked = {"add_generation_prompt": "continue_final_message" not in options, **options}
    try:
        entry["text"] = tokenizer.apply_chat_template(messages, tokenize=False, **asked)
        entry["ids"] = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **asked)
    except Exception as error:  # noqa: BLE001
        if type(error).__name__ != "TemplateError":
            raise
        entry["error"] = str(error)
    return entry


def main(out):
    for name, (template, as_file, cases) in STYLES.items():
        directory = os.path.join(out, "chats", name)
        shutil.rmtree(directory, ignore_errors=True)
        tokenizer = byte_tokenizer()
        tokenizer.chat_template = template
        tokenizer.save_pretrained(directory, save_jinja_files=as_file)
        if name == "crlf":  # as some hand-made files are
            path = os.path.join(directory, "tokenizer_config.json")
            with open(path, encoding="utf-8") as file:
                assert "\\r\\n" in file.read()
        with open(os.path.join(directory, "cases.json"), "w", encoding="utf-8") as file:
            json.dump([case(tokenizer, *entry) for entry in cases], file, ensure_ascii=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_chats.py OUT_DIR")
    main(sys.argv[1])
