"""Encodings: what is marked, strict or declared is read exactly; a guess needs evidence; nothing is invented."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.extract.encoding import binary, decode
from kb.errors import ExtractionError

WESTERN = (
    "Die Kündigungsfrist beträgt für beide Parteien drei Monate; während der Probezeit gelten kürzere Fristen.",
    "Les employés à temps partiel ont droit aux mêmes congés que les autres, après une année complète de présence.",
    "El año pasado la compañía aumentó los días de vacaciones según la antigüedad de cada empleado y su categoría.",
    "Os funcionários têm direito a férias após um ano de serviço; a aprovação é da responsabilidade da direção.",
    "De anställda har rätt till semester efter tolv månader, även om de började på våren eller på sommaren.",
    "Medarbejdere på deltid får samme løn pr. time som øvrige ansatte, også når de arbejder på helligdage.",
    "La società è tenuta a pagare le ferie già maturate; però l'indennità non può superare l'importo più basso.",
)
CENTRAL = (
    "Zaměstnanci mají nárok na dovolenou po uplynutí zkušební doby, která činí tři měsíce ode dne nástupu.",
    "Pracownicy mają prawo do urlopu po przepracowaniu roku, również ci, którzy są zatrudnieni na część etatu.",
    "A munkavállalók évente legalább húsz nap szabadságra jogosultak, amelyet az első negyedév végéig ki kell venniük.",
)
CYRILLIC = (
    "Сотрудники имеют право на отпуск после шести месяцев работы, если договором не установлено иное.",
    "Возврат денежных средств производится в течение тридцати дней со дня получения заявления.",
)
OTHERS = {
    "cp1253": "Οι εργαζόμενοι δικαιούνται άδεια μετά από ένα έτος υπηρεσίας στην ίδια επιχείρηση.",
    "cp1254": "Çalışanlar bir yıllık hizmetten sonra yıllık izin hakkına sahiptir; başvurular yazılı olarak yapılır.",
    "cp1255": "העובדים זכאים לחופשה שנתית לאחר שנה אחת של עבודה באותו מקום עבודה.",
    "cp1256": "يحق للموظفين الحصول على إجازة سنوية بعد مرور عام كامل من الخدمة في الشركة.",
    "cp874": "พนักงานมีสิทธิลาพักร้อนหลังจากทำงานครบหนึ่งปี โดยต้องแจ้งล่วงหน้าเป็นลายลักษณ์อักษร",
    "cp932": "従業員は一年間の勤務の後に有給休暇を取得する権利があります。申請は書面で行ってください。",
    "euc-jp": "従業員は一年間の勤務の後に有給休暇を取得する権利があります。申請は書面で行ってください。",
    "gb18030": "员工在工作满一年后有权享受带薪年假，申请必须以书面形式提交给部门经理。",
    "big5": "員工在工作滿一年後有權享受帶薪年假，申請必須以書面形式提交給部門經理。",
    "cp949": "직원은 일 년 동안 근무한 후에 유급 휴가를 사용할 권리가 있으며 서면으로 신청해야 합니다.",
}
ENGLISH = "Refunds are paid within thirty days of the return, unless the goods were damaged by the customer. " * 3


def read(content: bytes) -> str | None:
    try:
        return decode(content)
    except ExtractionError:
        return None


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t")))
def test_marked_and_strict_encodings_are_exact(text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert decode(text.encode(encoding)) == text
    if not text.startswith("\ufeff"):
        assert decode(text.encode("utf-8")) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [*WESTERN, *CENTRAL, *CYRILLIC, OTHERS["cp932"] + "\r\n", ENGLISH])
def test_utf16_without_a_mark(text: str, encoding: str) -> None:
    assert read(text.encode(encoding)) == text
    assert not binary(text.encode(encoding))


@given(st.lists(st.sampled_from(WESTERN), min_size=1, max_size=6), st.sampled_from(["cp1252", "latin-1"]))
@settings(max_examples=40, deadline=None)
def test_western_sentences(sentences: list[str], encoding: str) -> None:
    text = "\r\n\r\n".join(sentences)
    assert read(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, encoding) for text in CENTRAL for encoding in ("cp1250", "iso8859-2")),
        *((text, encoding) for text in CYRILLIC for encoding in ("cp1251", "koi8-r", "cp866", "iso8859-5")),
        *((text, encoding) for encoding, text in OTHERS.items()),
    ],
)
def test_other_sentences_are_read_rightly_or_not_at_all(text: str, encoding: str) -> None:
    assert read(text.encode(encoding)) in (text, None)
    # With a little more of it, there is evidence enough.
    if encoding not in ("iso8859-2", "iso8859-5"):
        assert read("\n".join([text] * 3).encode(encoding)) == "\n".join([text] * 3)


@pytest.mark.parametrize(
    "word", ["café", "It’s", "“quoted”", "© 2020", "1939–1945", "£5", "15 €", "Zürich", "25 °C", "naïve"]
)
def test_one_word_in_an_english_text(word: str) -> None:
    text = f"{ENGLISH}{word} {ENGLISH}"
    assert read(text.encode("cp1252")) == text


def test_a_few_umlauts_alone() -> None:
    text = "## können\n\nkönnen\n\näöüß\n"
    assert read(text.encode("latin-1")) == text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'<?xml version="1.0" encoding="windows-1251"?><a>' + "да".encode("cp1251") + b"</a>", "да"),
        (b'<html><meta charset="shift_jis"><p>' + "日本".encode("cp932") + b"</p>", "日本"),
        (b"# -*- coding: latin-1 -*-\nname = '" + "é".encode("latin-1") + b"'\n", "é"),
        ('<?xml version="1.0" encoding="latin-1"?><a>дa</a>'.encode(), "д"),
        ("日本語のテキスト".encode("iso2022_jp"), "日本語のテキスト"),
    ],
)
def test_declared_encodings(content: bytes, expected: str) -> None:
    assert expected in decode(content)


def test_the_sources_charset_is_heard() -> None:
    assert decode("ağaç".encode("cp1254"), "text/plain; charset=windows-1254") == "ağaç"


@given(st.binary(min_size=1, max_size=300))
@settings(deadline=None)
def test_nothing_is_invented(content: bytes) -> None:
    text = read(content)
    assert (
        text is None
        or "\ufffd" not in text
        or "\ufffd".encode() in content
        or content[:2] in (b"\xff\xfe", b"\xfe\xff")
    )


@given(st.integers(), st.integers(64, 2000))
@settings(max_examples=40, deadline=None)
def test_noise_is_no_text(seed: int, size: int) -> None:
    noise = Random(seed)
    assert read(noise.randbytes(size)) is None
    assert read(bytes(noise.choices(range(32, 256), k=size))) is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\x80\x80", b"\xed\xa0\x80"])
def test_broken_utf8_is_not_read_as_gibberish(bad: bytes) -> None:
    assert read("Größe und Maß für alle Räume ".encode() + bad + b" Ende") is None


@pytest.mark.parametrize("page", ["cp500", "cp037"])
def test_ebcdic_is_refused(page: str) -> None:
    assert read(ENGLISH.encode(page)) is None


def test_nuls_are_binary() -> None:
    assert binary(b"text\0with\0nuls in odd and even places")
    assert binary(bytes(range(256)))
    assert not binary("Größe\r\n\t".encode("cp1252"))


def test_a_long_line_without_spaces_is_no_burden() -> None:
    text = "cell;" * 400_000 + "Größe;Höhe;" * 3
    assert read(text.encode("cp1252")) in (text, None)
    assert read(text.encode("utf-8")) == text


def test_evidence_at_the_end_of_a_large_file_counts() -> None:
    text = ENGLISH * 2000 + WESTERN[0] + WESTERN[1]
    assert read(text.encode("cp1252")) == text
