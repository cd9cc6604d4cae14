"""The zones and questions that are measured with: made from one seed, so the same everywhere.

    mix      mix.test: 100,000 names (A, AAAA, MX, TXT, CNAME, wildcards, delegations), 209,000 records
    small    10,000 zones of 14 records
    tiny     N zones of 8 records (100,000, 1,000,000, …: `tiny_name`)
    ten      ten.test: 10 records
    tld      tld.test: 333,000 delegations, half with glue; 999,006 records
    huge     huge.test: the same with 3,330,000 delegations
    signed   signed.test: 150,000 delegations with DS, signed with NSEC3 without opt-out, ECDSA P-256; 1,050,027 records

Each set is SET.list (its zones), SET.questions (lines "NAME TYPE"), and SET.zone: one file, for all zones of the set.
Questions of mix and small: 70 % for what exists, 15 % NXDOMAIN, 5 % each for wildcards, below delegations and NODATA, all
names alike often. Names that change later are left out of the questions: `probe` in tld, huge, ten and signed.
"""

import random
import subprocess

SOA = "@ 3600 IN SOA ns1 hostmaster 1 3600 600 1209600 300\n"
APEX = "@ NS ns1\n@ NS ns2\nns1 A 10.0.0.1\nns2 A 10.0.0.2\n"
QUESTIONS = 200_000
SMALL_ZONES = 10_000
DELEGATIONS = {"tld": 333_000, "huge": 3_330_000, "signed": 150_000}
SYLLABLES = "ka lo mi ter san pro net web bo ri dex fu qua ze hol ny ver cor al ist".split()


def tiny_name(count):
    """The name of the set of `count` tiny zones."""
    return f"tiny-{count}"


def make(name, folder):
    """Writes the set into `folder`, unless it is there."""
    if (folder / f"{name}.made").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(f"secondo {name}")
    if name.startswith("tiny-"):
        _make_tiny(name, folder, chance, int(name.removeprefix("tiny-")))
    else:
        {"mix": _make_mix, "small": _make_small, "ten": _make_ten}.get(name, _make_delegations)(name, folder, chance)
    if name == "signed":
        _sign(folder)
    (folder / f"{name}.made").touch()


def _ipv4(number):
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _ipv6(number):
    return f"fd00::{number >> 16:x}:{number & 65535:x}"


def _words(chance, count):
    """Different labels of 3 to 5 syllables, many of them with a number."""
    found = {}
    while len(found) < count:
        label = "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(3, 5)))
        if chance.random() < .4:
            label += str(chance.randint(0, 9999))
        found[label] = None
    return list(found)


def _write_list(folder, name, zones):
    (folder / f"{name}.list").write_text("".join(f"{zone}\n" for zone in zones))


def _write_questions(path, chance, kinds, count=QUESTIONS):
    """`kinds`: (weight, function that returns a name and a type)."""
    weights, makers = zip(*kinds)
    with path.open("w") as file:
        for maker in chance.choices(makers, weights, k=count):
            file.write("{} {}\n".format(*maker()))


def _make_mix(name, folder, chance):
    zone = "mix.test"
    words = _words(chance, 100_000)
    existing, delegated, wild, empty = [], [], [], []
    with (folder / "mix.zone").open("w") as file:
        file.write(f'$TTL 3600\n{SOA}{APEX}@ MX 10 mail\nmail A 10.0.0.3\n@ TXT "v=spf1 mx -all"\n')
        for number, word in enumerate(words):
            kind = chance.random()
            if kind < .62:
                types = _write_host(file, chance, word, number)
                existing += [(word, type_) for type_ in types]
                empty.append((word, "SRV"))
            elif kind < .74:
                file.write(f"{word} CNAME {chance.choice(words)}\n")
                existing.append((word, "A"))
            elif kind < .79:
                file.write(f'*.{word} A {_ipv4(number)}\n*.{word} TXT "wild"\n')
                wild.append(word)
            else:
                file.write(f"{word} NS ns1.{word}\n{word} NS ns2.provider{number % 500}.example.\n"
                           f"ns1.{word} A {_ipv4(number)}\n")
                delegated.append(word)

    def one_of(pairs):
        label, type_ = chance.choice(pairs)
        return f"{label}.{zone}", type_

    _write_questions(folder / "mix.questions", chance, [
        (70, lambda: one_of(existing)),
        (15, lambda: (f"nx{chance.randrange(10**7)}.{zone}", "A")),
        (5, lambda: (f"h{chance.randrange(1000)}.{chance.choice(wild)}.{zone}", "A")),
        (5, lambda: (f"www.{chance.choice(delegated)}.{zone}", "A")),
        (5, lambda: one_of(empty)),
    ])
    # For the part about floods: what exists alone, and what does not alone.
    _write_questions(folder / "mix.positive.questions", chance, [(1, lambda: one_of(existing))])
    _write_questions(folder / "mix.nothing.questions", chance, [
        (1, lambda: (f"{chance.getrandbits(48):x}.{zone}", "A"))])
    _write_list(folder, name, [zone])


def _write_host(file, chance, word, number):
    """One name with addresses, and some with mail; the types that it has."""
    types = ["A"]
    file.write(f"{word} A {_ipv4(number)}\n")
    if chance.random() < .4:
        file.write(f"{word} AAAA {_ipv6(number)}\n")
        types.append("AAAA")
    if chance.random() < .15:
        file.write(f"{word} MX 10 mail\n{word} MX 20 mx2.{word}\nmx2.{word} A {_ipv4(number)}\n")
        types.append("MX")
    if chance.random() < .15:
        file.write(f'{word} TXT "v=spf1 ip4:{_ipv4(number)} include:_spf.example.net -all"\n')
        types.append("TXT")
    return types


def _make_small(name, folder, chance):
    zones = [f"{word}.example" for word in _words(chance, SMALL_ZONES)]
    _write_list(folder, name, zones)
    (folder / "small.zone").write_text(
        f"$TTL 3600\n{SOA}{APEX}@ A 10.0.0.5\n@ AAAA fd00::5\n@ MX 10 mail\nmail A 10.0.0.3\n"
        '@ TXT "v=spf1 mx -all"\nwww CNAME @\napi A 10.0.0.6\n*.app A 10.0.0.7\nsub NS ns1.sub\nns1.sub A 10.0.0.8\n')
    existing = [("", "A"), ("www.", "A"), ("", "MX"), ("mail.", "A"), ("api.", "A"), ("", "AAAA"), ("", "TXT"), ("", "NS")]

    def one():
        label, type_ = chance.choice(existing)
        return f"{label}{chance.choice(zones)}", type_

    _write_questions(folder / "small.questions", chance, [
        (70, one),
        (15, lambda: (f"nx{chance.randrange(1000)}.{chance.choice(zones)}", "A")),
        (5, lambda: (f"h{chance.randrange(100)}.app.{chance.choice(zones)}", "A")),
        (5, lambda: (f"www.sub.{chance.choice(zones)}", "A")),
        (5, lambda: (f"api.{chance.choice(zones)}", "SRV")),
    ])


def _make_tiny(name, folder, chance, count):
    zones = [f"t{number:07d}.example" for number in range(count)]
    chance.shuffle(zones)
    _write_list(folder, name, zones)
    (folder / f"{name}.zone").write_text(
        f"$TTL 3600\n{SOA}@ NS ns1.dns.example.net.\n@ NS ns2.dns.example.net.\n@ A 10.0.0.5\n@ MX 10 mail\n"
        'mail A 10.0.0.3\nwww CNAME @\n@ TXT "v=spf1 mx -all"\n')
    existing = [("", "A"), ("www.", "A"), ("", "MX"), ("", "SOA"), ("nx.", "A"), ("mail.", "AAAA")]

    def one():
        label, type_ = chance.choice(existing)
        return f"{label}{chance.choice(zones)}", type_

    _write_questions(folder / f"{name}.questions", chance, [(1, one)], 20_000)


def _make_ten(name, folder, chance):
    _write_list(folder, name, ["ten.test"])
    (folder / "ten.zone").write_text(
        f'$TTL 3600\n{SOA}{APEX}probe A 10.9.9.9\nwww A 10.0.0.5\n@ MX 10 mail\nmail A 10.0.0.3\n@ TXT "x"\n')
    asked = [("www.ten.test", "A"), ("ten.test", "MX"), ("mail.ten.test", "A"), ("ten.test", "TXT"),
             ("ten.test", "NS"), ("www.ten.test", "AAAA"), ("nothing.ten.test", "A")]
    _write_questions(folder / "ten.questions", chance, [(1, lambda: chance.choice(asked))], 1000)


def _make_delegations(name, folder, chance):
    """A zone as a registry has it."""
    zone = f"{name}.test"
    words = _words(chance, DELEGATIONS[name])
    with (folder / f"{name}.zone").open("w") as file:
        file.write(f"$TTL 86400\n{SOA}{APEX}probe A 10.9.9.9\n")
        for number, word in enumerate(words):
            if number % 2:
                file.write(f"{word} NS ns1.{word}\n{word} NS ns2.{word}\n"
                           f"ns1.{word} A {_ipv4(number)}\nns2.{word} A {_ipv4(number + 1)}\n")
            else:
                host = chance.randrange(20_000)
                file.write(f"{word} NS ns1.host{host}.example.\n{word} NS ns2.host{host}.example.\n")
            if name == "signed":
                file.write(f"{word} DS {chance.randrange(65536)} 13 2 {chance.getrandbits(256):064X}\n")
    _write_list(folder, name, [zone])
    kinds = [
        (50, lambda: (f"www.{chance.choice(words)}.{zone}", "A")),
        (20, lambda: (f"{chance.choice(words)}.{zone}", "NS")),
        (20, lambda: (f"nx{chance.randrange(10**7)}.{zone}", "A")),
        (5, lambda: (zone, chance.choice(["NS", "MX"]))),
        (5, lambda: (f"ns1.{zone}", chance.choice(["A", "AAAA"]))),
    ]
    if name == "signed":
        kinds.append((20, lambda: (f"{chance.choice(words)}.{zone}", "DS")))
    _write_questions(folder / f"{name}.questions", chance, kinds, 20_000)


def _sign(folder):
    """Signs signed.zone in place, with kzonesign."""
    work = folder / "signing"
    for part in ("keys", "signed"):
        (work / part).mkdir(parents=True, exist_ok=True)
    configuration = work / "knot.conf"
    configuration.write_text(f"""database:
  storage: {work}/keys
policy:
  - id: nsec3
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
    nsec3-opt-out: off
    rrsig-lifetime: 360d
    signing-threads: 2
zone:
  - domain: signed.test
    storage: {folder}
    file: signed.zone
    dnssec-signing: on
    dnssec-policy: nsec3
    zonefile-load: whole
    semantic-checks: off
""")
    subprocess.run(["kzonesign", "-c", configuration, "-o", work / "signed", "signed.test"], check=True)
    (work / "signed" / "signed.zone").replace(folder / "signed.zone")
