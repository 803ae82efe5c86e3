"""Facts of a model are told in a reader's words, and nothing of them is lost."""

from gazeapp.engine.reports.model_facts import attention_tables, fact_rows, method_name

FACTS = {
    "grid": [8, 8],
    "training": {"data": "demo-world", "encoder": "cnn", "steps": 4000, "n_test": 1000, "odd_one": 3},
    "figures": {
        "n_test": 1000,
        "exact": {"general": 0.999, "social": 0.966},
        "token_accuracy": {"general": 0.99994},
        "attention": {
            "cross-L0-H0+1": {
                "heads": {"area": 0.05, "n": 10, "ratio": 0.934, "share": 0.0472, "shuffled": 1.0},
                "objects": {"area": 0.0371, "n": 5, "ratio": 8.86, "share": 0.3291, "shuffled": 1.43},
            },
            "mine": {"left_half": {"share": 0.5}},
        },
    },
    "layers": {"first": {"heads": 4}},
}


def test_facts_have_names_and_units():
    assert list(fact_rows(FACTS)) == [
        ("Grid of a map, cells", "8 × 8"),
        ("Training steps", "4000"),
        ("Test scenes", "1000"),
        ("Test captions said word for word", "general 99.9 %, social 96.6 %"),
        ("Next word right, given the true words", "general 100.0 %"),
        ("layers · first", "heads 4"),
        ("odd one", "3"),
    ]


def test_attention_is_a_table_of_each_map_method():
    first, second = attention_tables(FACTS)
    assert first.method == "cross-attention, heads 0 and 1 of layer 0 (from 0)"
    assert [(row.place[:10], row.share, row.area, row.ratio, row.shuffled) for row in first.rows] == [
        ("the object", "32.9", "3.7", "8.86", "1.43"),
        ("people’s h", "4.7", "5.0", "0.93", "1.00"),
    ]
    (row,) = second.rows
    assert (second.method, row.place, row.share, row.area, row.ratio) == (
        "mine",
        "left half",
        "50.0",
        "–",
        "–",
    )


def test_methods_are_named():
    assert method_name("alpha") == "soft attention"
    assert method_name("cross-L1-mean") == "cross-attention, all heads of layer 1 (from 0)"
    assert method_name("cross-L1-H2") == "cross-attention, head 2 of layer 1 (from 0)"
    assert method_name("cross-mean") == "cross-attention, all heads of all layers"


def test_a_model_of_which_little_is_known_is_fine():
    assert list(fact_rows({})) == []
    assert attention_tables({"figures": {"attention": "none"}, "training": 3}) == ()
    assert list(fact_rows({"exact": 0.5, "training": 3})) == [("exact", "0.5"), ("training", "3")]
