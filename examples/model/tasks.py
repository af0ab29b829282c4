"""The text of the small example model: short sentences, each a prompt with one right continuation.

Every task lists all of its items once. An item is (key, prompt, continuation); the key alone decides, by a hash,
 whether
the item is held out, so the split is the same on every machine and items that would give each other away (3 + 5 and
5 + 3) share a key. All words, facts and rhymes were written for this file.
"""
import hashlib

NAMES = "Anna Ben Clara David Emma Felix Greta Henry Iris Jonas Kate Leo Mia Noah Olga Paul".split()
OPENERS = [""] + [f"{name} {verb} that " for name in NAMES for verb in ("knows", "says")]
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = ("January February March April May June July August September October November December").split()
NUMBERS = "two three four five six seven eight nine ten".split()
OPPOSITES = """hot cold,big small,fast slow,old new,day night,up down,left right,open closed,light dark,full empty,
happy sad,early late,high low,wet dry,loud quiet,hard soft,rich poor,strong weak,thick thin,near far,long short,
clean dirty,true false,easy difficult,first last,inside outside,young aged,sweet sour,wide narrow,deep shallow,
love hate,push pull,win lose,begin end,buy sell,laugh cry"""
PLURALS = """cat cats,dog dogs,bird birds,cow cows,horse horses,duck ducks,frog frogs,tree trees,house houses,
book books,chair chairs,table tables,lamp lamps,door doors,window windows,car cars,boat boats,train trains,apple apples,
pear pears,egg eggs,hat hats,shoe shoes,coat coats,box boxes,fox foxes,bus buses,glass glasses,dress dresses,
dish dishes,brush brushes,watch watches,peach peaches,bench benches,city cities,baby babies,berry berries,story stories,
pony ponies,lady ladies,leaf leaves,wolf wolves,knife knives,loaf loaves,child children,man men,woman women,foot feet,
tooth teeth,mouse mice,goose geese,sheep sheep,fish fish,potato potatoes,tomato tomatoes,key keys,boy boys,toy toys,
river rivers,stone stones"""
SCENES = """cat|sat on the|mat,dog|slept under the|table,bird|sang in the|tree,frog|jumped into the|pond,
cow|ate in the|field,horse|ran over the|hill,duck|swam across the|lake,mouse|hid behind the|door,
fox|crept through the|forest,wolf|howled at the|moon,bee|landed on the|flower,owl|sat in the|barn,
goat|climbed up the|mountain,hen|laid eggs in the|nest,pig|rolled in the|mud,fish|swam down the|river,
bear|slept in the|cave,squirrel|hid nuts in the|garden,spider|made a web in the|corner,ship|sailed over the|sea,
train|stopped at the|station,teacher|wrote on the|board,baker|put bread in the|oven,farmer|worked on the|farm,
child|played in the|park"""
TIMES = "|In the morning|In the evening|Last night|Yesterday|One day|Early on Sunday|In the summer|After the rain"
TIMES = TIMES.split("|")
ADJECTIVES = "|little|old|young|big|happy|quiet|hungry".split("|")
LANDS = """Norland Belhaven Alder,Sumeria Tolport Minnow,Ostavia Karrow Silver,Wendmark Grayton Heron,
Pellonia Castera Otter,Ilmany Rosenby Willow,Tarquay Dunmore Falcon,Veldoria Lindale Amber,Brandovia Stonefield Swan,
Quellia Harbourne Cedar,Morvania Eastwick Raven,Zelland Fernley Copper"""
VERBS = "run sleep eat jump swim sing play wait fall turn".split()
RHYMES = [
    "{n} had a yellow kite,\nit flew by day, it flew by night,\nit flew above the garden wall,\n"
    "and never came back down at all.",
    "{n} went to the market square\nto buy an apple and a pear,\nbut all the fruit was gone by ten,\n"
    "so it was bread for lunch again.",
    "{n} found a ship of blue\nand sailed it with a merry crew,\nthey sailed it south, they sailed it west,\n"
    "and came home late to take a rest.",
    "{n} heard the tower bell,\nand what it said no one can tell,\nbut every time it starts to ring,\n"
    "the people come to dance and sing.",
    "{n} saw the morning sun\nand woke the chickens one by one,\nthe sleepy rooster shook his head\n"
    "and told them all to stay in bed.",
    "{n} built a house of snow\nand watched the winter breezes blow,\nbut when the spring came warm and bright,\n"
    "the house had gone within a night.",
]


def pairs(text, separator=None):
    return [entry.strip().split(separator) for entry in text.replace("\n", "").split(",")]


def sentence(opener, rest):
    text = opener + rest
    return text[0].upper() + text[1:]


def cycle_items(values, unit, preposition):
    """Neighbours in a closed order (days, months), one to three steps away."""
    n = len(values)
    for opener in OPENERS:
        for i, value in enumerate(values):
            forms = [(f"the {unit} after {value} is", 1), (f"the {unit} before {value} is", -1),
                     (f"two {unit}s after {value} comes", 2), (f"three {unit}s after {value} comes", 3),
                     (f"{value} is followed by", 1)]
            if unit == "day":
                forms += [(f"if today is {value}, tomorrow is", 1), (f"if today is {value}, yesterday was", -1)]
            for form, step in forms:
                yield opener + form, sentence(opener, form), f" {values[(i + step) % n]}."
            form = f"starting {preposition} {value}, the {unit}s are"
            order = ", ".join(values[(i + k) % n] for k in range(n))
            yield opener + form, sentence(opener, form), f" {order}."


def counting_items():
    """Counting to a multiple of ten, three numbers or more, and the rest of the alphabet; the starts are held out."""
    for start in range(0, 110):
        up, down = -(-(start + 2) // 10) * 10, (start - 2) // 10 * 10
        for how, end, step in (("", up, 1), (" down", down, -1), (" by twos", -(-(start + 4) // 10) * 10, 2)):
            if end < 0 or (end - start) % step:
                continue
            numbers = ", ".join(str(number) for number in range(start, end + (1 if step > 0 else -1), step))
            yield f"{how}{start}", f"Count{how} from {start} to {end}:", f" {numbers}."
            for name in NAMES:
                yield f"{how}{start}", f"{name} counts{how} from {start} to {end}:", f" {numbers}."
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for opener in OPENERS:
        for i in range(12, 24):
            form = f"the letters after {letters[i]} are"
            yield opener + form, sentence(opener, form), " " + ", ".join(letters[i + 1:]) + "."


def addition_items(digits):
    for a in range(100):
        for b in range(100):
            if (a < 10 and b < 10) == (digits == 1):
                yield f"{min(a, b)}+{max(a, b)}", f"{a} + {b} =", f" {a + b}."


def opposite_items():
    for left, right in pairs(OPPOSITES):
        for a, b in ((left, right), (right, left)):
            for opener in OPENERS[:17]:
                for form in (f"the opposite of {a} is", f"{a} is the opposite of"):
                    yield f"{opener}{form}", sentence(opener, form), f" {b}."
            yield f"not {a}", f"Not {a} but", f" {b}."


def plural_items():
    for one, many in pairs(PLURALS):
        for number in NUMBERS:
            yield f"a{one}{number}", f"One {one}, {number}", f" {many}."
            for name in NAMES[:6]:
                yield f"{name}{one}{number}", f"I have one {one} and {name} has {number}", f" {many}."
        for verb in VERBS:
            if one != many:
                yield f"s{one}{verb}", f"One {one} can {verb}. The {one} {verb}s. The {many}", f" {verb}."
                yield f"p{one}{verb}", f"Two {many} can {verb}. The {many} {verb}. The {one}", f" {verb}s."


def scene_items():
    for who, action, place in pairs(SCENES, "|"):
        for time in TIMES:
            for adjective in ADJECTIVES:
                subject = f"{adjective} {who}".strip()
                opener = f"{time} the" if time else "The"
                yield f"a{time}{subject}", f"{opener} {subject} {action}", f" {place}."
                yield f"b{time}{subject}", f"{opener} {subject}", f" {action} {place}."


def land_items():
    for land, capital, river in pairs(LANDS):
        for opener in OPENERS:
            for form, answer in ((f"the capital of {land} is", capital), (f"{capital} is the capital of", land),
                                 (f"the longest river of {land} is the", river),
                                 (f"the river {river} flows through", land)):
                yield opener + form, sentence(opener, form), f" {answer}."


def rhyme_items():
    for number, rhyme in enumerate(RHYMES):
        for name in NAMES + [f"{size} {name}" for size in ("Little", "Old") for name in NAMES]:
            first, rest = rhyme.format(n=name).split("\n", 1)
            yield f"{number}{name}", first, "\n" + rest


# name: (items, share of the training documents)
TASKS = {
    "days": (lambda: cycle_items(DAYS, "day", "on"), 0.09),
    "months": (lambda: cycle_items(MONTHS, "month", "in"), 0.11),
    "counting": (counting_items, 0.16),
    "addition_one_digit": (lambda: addition_items(1), 0.04),
    "addition_two_digits": (lambda: addition_items(2), 0.30),
    "opposites": (opposite_items, 0.10),
    "plurals": (plural_items, 0.07),
    "scenes": (scene_items, 0.05),
    "lands": (land_items, 0.05),
    "rhymes": (rhyme_items, 0.03),
}


def is_held_out(task, key):
    """One item in ten, by the key's hash."""
    return hashlib.sha256(f"{task}/{key}".encode()).digest()[0] < 26


def split():
    """{task: ([(prompt, continuation)] to train on, the same held out)}; no held-out prompt is trained on."""
    result = {}
    for task, (items, _) in TASKS.items():
        train, held_out = {}, {}
        for key, prompt, continuation in items():
            (held_out if is_held_out(task, key) else train)[prompt] = continuation
        assert train and held_out and not set(train) & set(held_out), task
        result[task] = (list(train.items()), list(held_out.items()))
    return result
