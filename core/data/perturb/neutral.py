"""Sentences that say nothing about anything that a task may ask: padding and distraction."""

from __future__ import annotations

from core.data.perturb.scripts import language_of

_SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "The river runs slowly past the old stone bridge.",
        "Some clouds drifted over the hills in the afternoon.",
        "A tram stops at the corner of the square.",
        "The library has tall windows on its northern side.",
        "Two ducks crossed the path by the pond.",
        "In autumn the leaves of the maple turn yellow.",
        "The clock on the tower strikes the hours.",
        "A bench stands under the chestnut tree.",
    ),
    "zh": (
        "河水缓缓流过古老的石桥。",
        "下午有几朵云飘过山丘。",
        "电车停在广场的拐角处。",
        "图书馆的北面有高高的窗户。",
        "两只鸭子穿过池塘边的小路。",
        "秋天枫树的叶子变黄了。",
        "钟楼上的大钟每小时敲响一次。",
        "栗树下放着一张长椅。",
    ),
    "ja": (
        "川は古い石橋のそばをゆっくり流れている。",
        "午後、丘の上を雲がいくつか流れていった。",
        "路面電車は広場の角に止まる。",
        "図書館の北側には高い窓がある。",
        "池のそばの小道を二羽のカモが渡った。",
        "栗の木の下にベンチがある。",
    ),
    "de": (
        "Der Fluss fließt langsam an der alten Steinbrücke vorbei.",
        "Am Nachmittag zogen einige Wolken über die Hügel.",
        "An der Ecke des Platzes hält eine Straßenbahn.",
        "Die Bibliothek hat auf der Nordseite hohe Fenster.",
        "Zwei Enten liefen über den Weg am Teich.",
        "Unter der Kastanie steht eine Bank.",
    ),
    "fr": (
        "La rivière coule lentement près du vieux pont de pierre.",
        "Quelques nuages ont passé sur les collines dans l'après-midi.",
        "Un tramway s'arrête au coin de la place.",
        "La bibliothèque a de hautes fenêtres du côté nord.",
        "Deux canards ont traversé le sentier près de l'étang.",
        "Un banc se trouve sous le châtaignier.",
    ),
    "es": (
        "El río pasa despacio junto al viejo puente de piedra.",
        "Por la tarde algunas nubes cruzaron las colinas.",
        "Un tranvía para en la esquina de la plaza.",
        "La biblioteca tiene ventanas altas en el lado norte.",
        "Dos patos cruzaron el camino junto al estanque.",
        "Hay un banco debajo del castaño.",
    ),
}


def neutral_sentences(text: str, language: str | None) -> tuple[str, ...]:
    """Return neutral sentences in the language of a text (see `language_of`); none where there are none in it."""
    return _SENTENCES.get(language_of(text, language), ())


def fallback_sentences() -> tuple[str, ...]:
    """Return the sentences for languages that have none of their own: English ones."""
    return _SENTENCES["en"]
