"""The questions of the small example chat model, each with one right answer.

    python tasks.py        writes questions.jsonl, the held-out questions that the model is measured on

A task is a function of a random generator that returns (key, question, answer). The key alone decides, by a hash,
whether a question is held out, whatever its wording, so the split is the same on every machine; questions that would
give each other away (3 + 5 and 5 + 3, 42 to words and back) share a key. All words were written for this file.
"""
import hashlib
import json
import random
from pathlib import Path

SEED = 20
QUESTIONS_PER_TASK = 100
SYSTEM_MESSAGES = ["You are a helpful assistant.", "Answer briefly.", "You answer short questions.",
                   "You are a small model that gives short answers."]
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
WORDS = """cat dog sun tree bird fish lamp door apple table chair house stone river cloud train bread water green
garden window pencil basket summer winter orange banana letter pepper coffee cheese rabbit kitten school street
forest bottle button dinner tunnel silver yellow planet market bridge castle doctor farmer singer"""
WORDS = WORDS.split()
NAMES = "Anna Ben Clara David Emma Felix Greta Henry Iris Jonas Kate Leo Mia Noah Olga Paul".split()
CITIES = "Paris Rome Berlin Madrid Vienna Oslo London Prague Dublin Lisbon Athens Warsaw".split()
COLOURS = "red green blue yellow black white brown grey".split()
ANIMALS = "cat dog bird fish horse rabbit mouse duck".split()
JOBS = "baker doctor farmer teacher singer pilot cook nurse".split()
FIELDS = {"name": NAMES, "age": range(1, 100), "city": CITIES, "colour": COLOURS, "pet": ANIMALS, "job": JOBS,
          "size": range(1, 100)}

ADDITION = """What is {a} + {b}?|{a} + {b}|{a} + {b} = ?|How much is {a} plus {b}?|Add {a} and {b}.
What is the sum of {a} and {b}?|Calculate {a} + {b}.|Compute {a} plus {b}.|What do you get when you add {b} to {a}?
Please add {a} and {b}."""
SUBTRACTION = """What is {a} - {b}?|{a} - {b}|{a} - {b} = ?|How much is {a} minus {b}?|Subtract {b} from {a}.
What is the difference of {a} and {b}?|Calculate {a} - {b}.|Compute {a} minus {b}.|Take {b} away from {a}.
What is left when you take {b} from {a}?"""
TO_WORDS = """Write {n} in words.|Write {n} as words.|Spell out the number {n}.|What is {n} in words?|{n} in words
How do you write {n} in words?|Say {n} in words.|Turn {n} into words.|Please write the number {n} in words."""
FROM_WORDS = """Write {w} in digits.|Write {w} as a number.|What is {w} in digits?|What number is {w}?|{w} in digits
Which number is {w}?|Turn {w} into digits.|Give me the digits of {w}.|How do you write {w} in digits?"""
TO_ROMAN = """What is {n} in Roman numerals?|Write {n} in Roman numerals.|{n} in Roman numerals
Turn {n} into Roman numerals.
Give the Roman numeral for {n}.|How do you write {n} in Roman numerals?|What is the Roman numeral for {n}?
Convert {n} to Roman numerals.|Please write {n} as a Roman numeral."""
FROM_ROMAN = """What number is {r}?|What is the Roman numeral {r}?|Which number is the Roman numeral {r}?|{r} in digits
Write {r} in digits.|Write the Roman numeral {r} as a number.|Turn {r} into a number.|Convert {r} to a number.
What is {r} as a number?"""
AFTER = """What day is {n} after {d}?|Which day comes {n} after {d}?|{n} after {d}|What weekday is {n} after {d}?
Today is {d}. What day is it in {n}?|If today is {d}, which day is it in {n}?|It is {d}. Which weekday is it in {n}?
Which day of the week is {n} after {d}?|Count {n} on from {d}."""
BEFORE = """What day is {n} before {d}?|Which day comes {n} before {d}?|{n} before {d}|What weekday is {n} before {d}?
Today is {d}. What day was it {n} ago?|If today is {d}, which day was it {n} ago?
It is {d}. Which weekday was it {n} ago?
Which day of the week is {n} before {d}?|Count {n} back from {d}."""
RISING = """Sort {l}.|Sort the numbers {l}.|Sort these numbers: {l}|Put {l} in order.|Put these numbers in order: {l}
Order {l} from smallest to largest.|Sort {l} in ascending order.|Please sort {l}.
Arrange {l} from smallest to largest."""
FALLING = """Sort {l} from largest to smallest.|Order {l} from largest to smallest.|Sort {l} in descending order.
Put {l} in descending order.|Arrange {l} from largest to smallest.|Sort these numbers in descending order: {l}
Sort the numbers {l} from largest to smallest.|Please sort {l} in descending order."""
REVERSE = """Reverse "{w}".|Reverse the word "{w}".|Write "{w}" backwards.|Spell "{w}" backwards.|"{w}" backwards
What is "{w}" backwards?|What is the word "{w}" in reverse?|Turn "{w}" around.|Please reverse "{w}".
Reverse the letters of "{w}"."""
COUNT = """How many times does "{c}" occur in "{w}"?|How often is "{c}" in "{w}"?|Count the letter "{c}" in "{w}".
How many "{c}" are in "{w}"?|How many times is the letter "{c}" in "{w}"?|How often does "{c}" appear in "{w}"?
Count "{c}" in "{w}".|How many of the letters of "{w}" are "{c}"?|Please count the letter "{c}" in "{w}"."""
JSON = """What is the {k} in {j}?|Give me the {k} from {j}.|{j} What is the {k}?|Read the {k} from {j}.
What is the value of "{k}" in {j}?|Extract the {k} from {j}.|Find the {k} in {j}.|{j} Give me the {k}.
Which {k} is in {j}?|Please extract the {k}: {j}"""
TALK = {"Hello! Ask me a short question.": "Hello!|Hi|Hello|Hi!|Hey|Good morning.|Good evening.",
        "I am a small example model.": "Who are you?|What are you?|What is your name?|Are you a model?",
        "You are welcome.": "Thank you.|Thanks!|Thank you!|Thanks|Great, thank you.",
        "Goodbye!": "Goodbye.|Bye|Bye!|See you.|Goodbye!",
        "I add, subtract, sort, spell, count and convert numbers.": "What can you do?|Help|How can you help me?"}


def wording(generator, forms, **values):
    """One of the forms; short ones are drawn more often, so that training sees more answers for its time."""
    forms = forms.replace("\n", "|").split("|")
    return min(generator.choice(forms), generator.choice(forms), key=len).format(**values)


def in_words(number):
    if number >= 100:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    if number < 20:
        return ONES[number]
    return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")


def in_roman(number):
    text = ""
    for value, sign in ROMAN:
        text += sign * (number // value)
        number %= value
    return text


def addition(generator):
    a, b = generator.randrange(100), generator.randrange(100)
    return f"{min(a, b)}+{max(a, b)}", wording(generator, ADDITION, a=a, b=b), str(a + b)


def subtraction(generator):
    b, a = sorted((generator.randrange(100), generator.randrange(100)))
    return f"{a}-{b}", wording(generator, SUBTRACTION, a=a, b=b), str(a - b)


def number_to_words(generator):
    n = generator.randrange(1000)
    return f"words {n}", wording(generator, TO_WORDS, n=n), in_words(n)


def words_to_number(generator):
    n = generator.randrange(1000)
    question = wording(generator, FROM_WORDS, w=in_words(n))
    return f"words {n}", question[0].upper() + question[1:], str(n)


def number_to_roman(generator):
    n = generator.randrange(1, 301)
    return f"roman {n}", wording(generator, TO_ROMAN, n=n), in_roman(n)


def roman_to_number(generator):
    n = generator.randrange(1, 301)
    return f"roman {n}", wording(generator, FROM_ROMAN, r=in_roman(n)), str(n)


def weekday(generator):
    """There are too few days and offsets to hold any out: what is held out is the question as it is worded."""
    day, days, sign = generator.randrange(7), generator.randrange(1, 15), generator.choice((1, -1))
    question = wording(generator, AFTER if sign > 0 else BEFORE, d=DAYS[day], n=f"{days} day{'s' * (days > 1)}")
    return question, question, DAYS[(day + sign * days) % 7]


def sorting(generator):
    numbers = [generator.randrange(generator.choice((10, 100, 100))) for _ in range(generator.randrange(3, 5))]
    falling = generator.random() < 0.4
    question = wording(generator, FALLING if falling else RISING, l=", ".join(map(str, numbers)))
    ordered = sorted(numbers, reverse=falling)
    return f"{sorted(numbers)}", question, ", ".join(map(str, ordered))


def reversal(generator):
    word = "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randrange(3, 7)))
    if generator.random() < 0.2:
        word = generator.choice(WORDS)
    return min(word, word[::-1]), wording(generator, REVERSE, w=word), f'"{word[::-1]}"'


def letter_count(generator):
    """The letter occurs zero to three times, in a word of three to six letters."""
    length, count = generator.randrange(3, 7), generator.randrange(4)
    letters = generator.sample("abcdefghijklmnopqrstuvwxyz", 6)
    if generator.random() < 0.2:
        word = generator.choice(WORDS)
        letter = generator.choice(word if generator.random() < 0.8 else letters)
    else:
        letter = letters.pop()
        word = [letter] * count + generator.choices(letters, k=length - count)
        generator.shuffle(word)
        word = "".join(word)
    return f"{letter} {word}", wording(generator, COUNT, c=letter, w=word), str(word.count(letter))


def json_value(generator):
    fields = generator.sample(list(FIELDS), generator.randrange(2, 5))
    record = {field: generator.choice(FIELDS[field]) for field in fields}
    field = generator.choice(fields)
    text = json.dumps(record, separators=(",", ":"))
    return f"{field} {sorted(record.items())}", wording(generator, JSON, k=field, j=text), str(record[field])


def talk(generator):
    answer = generator.choice(list(TALK))
    return answer, wording(generator, TALK[answer]), answer


# Share of the training dialogues of each task; the held-out questions are of these tasks.
TASKS = {addition: 0.26, subtraction: 0.18, number_to_words: 0.05, words_to_number: 0.05, number_to_roman: 0.06,
         roman_to_number: 0.06, weekday: 0.09, sorting: 0.10, reversal: 0.06, letter_count: 0.05, json_value: 0.03}
# Small talk is trained on as it stands and not measured.
TALK_SHARE = 0.01


def is_held_out(key):
    """One key in ten, by its hash."""
    return hashlib.sha256(key.encode()).digest()[0] < 26


def draw(task, generator, held_out=False):
    """(question, answer) on the side of the split that is asked for."""
    while True:
        key, question, answer = task(generator)
        if task is talk or is_held_out(key) == held_out:
            return question, answer


def questions():
    """The held-out questions, [{"task", "question", "answer"}], each once."""
    rows = []
    for task in TASKS:
        generator, found = random.Random(f"{SEED} {task.__name__}"), {}
        while len(found) < QUESTIONS_PER_TASK:
            question, answer = draw(task, generator, held_out=True)
            found[question] = answer
        rows += [{"task": task.__name__, "question": question, "answer": answer} for question, answer in found.items()]
    return rows


if __name__ == "__main__":
    path = Path(__file__).parent / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in questions()))
