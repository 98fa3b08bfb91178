"""The comment on a pull request: what the samples of the real engine give, and what must hold for any preview."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.review import comment
from infra.review.__main__ import main
from infra.review.preview import Preview, PreviewError, read
from infra.review.secrets import SIGNATURE

SAMPLES = Path(__file__).with_name("samples")
NAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
CLUSTER = "vanta:aws:Database$aws:rds/cluster:Cluster"
Step = dict[str, Any]


def sample(name: str) -> Preview:
    document = json.loads((SAMPLES / f"{name}.json").read_text())
    return read(document, stack=name.rpartition("-")[0], project="vanta")


def render(preview: Preview, limit: int = comment.LIMIT) -> str:
    return comment.render(preview, allowed={}, wrong=[], limit=limit)


def step(
    op: str = "update",
    *,
    types: str = CLUSTER,
    name: str = "database",
    project: str = "vanta",
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    **state: Any,
) -> Step:
    """One step as the engine writes it; what differs between ``old`` and ``new`` is its detailed difference."""
    old, new = old or {}, new or {}
    return {
        "op": op,
        "urn": f"urn:pulumi:dev::{project}::{types}::{name}",
        "oldState": {"inputs": old, "outputs": old, **state} if op != "create" else None,
        "newState": {"inputs": new, "outputs": {}, **state} if op != "delete" else None,
        "detailedDiff": {
            key: {"kind": "update", "inputDiff": True}
            for key in {**old, **new}
            if old.get(key) != new.get(key)
        },
    }


def preview(*steps: Step, **more: Any) -> Preview:
    return read({"steps": list(steps), **more}, stack="dev", project="vanta")


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_of_the_engine_gives_the_committed_comment(name: str) -> None:
    expected = (SAMPLES / f"{name}.md").read_text()
    text = comment.render_drift(sample(name)) if name.endswith("-drift") else render(sample(name))
    assert text == expected, "if the change is wanted: python tests/infra/review/regenerate.py --comments"


def test_a_loss_of_data_is_told_before_anything_else_that_changes() -> None:
    text = render(sample("dev-loss"))
    assert (
        text.index("> - **REPLACE** `database`") < text.index("What moves the bill") < text.index("<details")
    )


def test_changes_stand_in_the_room_around_them() -> None:
    text = render(sample("dev-growth"))
    cache = text[text.index("<b>Cache</b>") : text.index("<b>Database</b>")]
    assert "nodeType" in cache
    assert "backupRetentionPeriod" not in cache


def test_what_moves_the_bill_for_one_reason_shares_a_line_that_names_some_and_counts_the_rest() -> None:
    alarm = "vanta:aws:Alarms$aws:cloudwatch/metricAlarm:MetricAlarm"
    text = render(preview(*(step("create", types=alarm, name=f"alarm-{n}") for n in range(9))))
    (line,) = re.findall(r"^\| up .*", text, re.MULTILINE)
    assert "`alarm-0`, `alarm-1`, `alarm-2`, `alarm-3` and 5 more (" in line


def test_a_room_is_folded_only_if_all_in_it_is_new() -> None:
    assert "\n<details>\n" in render(preview(step("create")))
    text = render(preview(step("create"), step("delete", name="database-1")))
    assert "\n<details open>\n" in text
    assert "\n<details>\n" not in text


def test_what_does_not_change_is_only_counted() -> None:
    document = json.loads((SAMPLES / "dev-unchanged.json").read_text())
    text = render(sample("dev-unchanged"))
    assert f"{document['changeSummary']['same']} unchanged" in text
    assert "<details" not in text


def test_comments_of_two_projects_with_one_stack_name_have_different_first_lines() -> None:
    first, second = (render(preview(step(project=project))).splitlines()[0] for project in ("vanta", "atlas"))
    assert first != second
    assert first.startswith("<!--")
    assert first.endswith("-->")


def test_a_replacement_told_in_parts_is_one_change() -> None:
    parts = [
        step(op, old={"databaseName": "a"}, new={"databaseName": "b"})
        for op in ("create-replacement", "replace", "delete-replaced")
    ]
    told = preview(*parts)
    assert told.counts == {"replace": 1}
    assert [difference.path for difference in told.changes[0].differences] == ["databaseName"]


def test_a_failed_preview_says_why() -> None:
    text = render(sample("prod-protected"))
    assert "**The preview failed**" in text
    assert "marked for protection" in text


def test_a_failed_preview_is_not_summed_up() -> None:
    refused = preview(diagnostics=[{"severity": "error", "message": "refused"}], changeSummary={"same": 1})
    for text in (render(refused), comment.render_drift(refused)):
        assert "No change" not in text
        assert "Cost" not in text
        assert "**The preview failed**: what follows is incomplete." in text


def test_a_preview_of_another_stack_is_refused() -> None:
    with pytest.raises(PreviewError, match="is of stack dev, not of prod"):
        read({"steps": [step()]}, stack="prod", project="vanta")


@pytest.mark.parametrize(
    "document", [[], {}, "text", {"outputs": 1}, {"steps": [{"op": "same", "urn": "x"}]}]
)
def test_what_is_no_preview_is_refused(document: Any) -> None:
    with pytest.raises(PreviewError, match="pulumi preview --json"):
        read(document, stack="dev", project="vanta")


@pytest.mark.parametrize("limit", [1_500, 3_000, 6_000])
def test_a_comment_never_exceeds_its_limit_and_says_how_much_it_left_out(limit: int) -> None:
    text = render(sample("prod-first"), limit)
    assert len(text) <= limit
    left_out = re.search(r"\*\*(\d+) entries do not fit", text)
    assert left_out
    shown = len(re.findall(r"^`\+` create", text, re.MULTILINE)) + len(
        re.findall(r"^\| up", text, re.MULTILINE)
    )
    everything = render(sample("prod-first"))
    all_shown = everything.count("\n`+` create") + everything.count("\n| up")
    assert shown + int(left_out[1]) == all_shown


def test_a_thousand_long_changes_fit_into_a_comment() -> None:
    long = "x" * 5_000
    steps = [step("replace", name=f"{long}{n}", old={"a": long}, new={"a": f"{long}y"}) for n in range(1_000)]
    text = render(preview(*steps))
    assert len(text) <= comment.LIMIT
    assert text.startswith("<!--")
    assert text.count("```diff") == text.count("\n```\n") - text.count("```diff\n```")


def test_two_long_values_are_shown_where_they_differ() -> None:
    text = render(preview(step(old={"policy": "a" * 900 + "left"}, new={"policy": "a" * 900 + "right"})))
    assert "left" in text
    assert "right" in text
    assert "a" * 200 not in text


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_policy_is_told_statement_by_statement_whatever_comes_between_them() -> None:
    read_it = {"Sid": "ReadIt", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a"}
    wider = {**read_it, "Action": ["s3:GetObject", "s3:PutObject"]}
    new = {"Sid": "New", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    last = {"Sid": "Last", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "b"}
    text = render(
        preview(step(old={"policy": policy(read_it, last)}, new={"policy": policy(new, wider, last)}))
    )
    assert '- policy.Statement[ReadIt].Action: ["s3:GetObject"]\n' in text
    assert '+ policy.Statement[ReadIt].Action: ["s3:GetObject", "s3:PutObject"]\n' in text
    assert '+ policy.Statement[New].Effect: "Deny"\n' in text
    assert "Last" not in text


def test_a_document_of_which_little_is_left_is_shown_as_the_text_that_it_is() -> None:
    old, new = (json.dumps({str(at): f"{word} {at}" for at in range(50)}) for word in ("was", "is"))
    text = render(preview(step(old={"body": old}, new={"body": new})))
    assert text.count("\n- body") == text.count("\n+ body") == 1


def test_a_value_cannot_leave_its_fence_nor_a_name_its_code() -> None:
    value = "x\n```\n<script>\n@everyone"
    text = render(preview(step(name="a`b\n# c", old={"p": "1"}, new={"p": value})))
    outside = re.sub(r"```diff\n.*?\n```\n", "", text, flags=re.DOTALL)
    assert "<script>" not in outside
    assert "@everyone" not in outside
    assert "\n# c" not in outside


def test_a_value_that_is_known_only_later_says_so() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    text = render(preview(step(old={"vpcId": "vpc-1"}, new={"vpcId": unknown})))
    assert "+ vpcId: (known after the update)" in text
    assert unknown not in text


# Long enough to be told from the words around it, with what JSON and Markdown escape.
SECRET = st.text(st.sampled_from("ABCDEFGHJK\"\\`<|'é\n"), min_size=12, max_size=40).filter(
    lambda text: len(set(text)) > 4
)
Places = Callable[[str, str], Step]
PLACES: Mapping[str, Places] = {
    "listed as a secret output": lambda a, b: step(
        old={"result": a}, new={"result": b}, additionalSecretOutputs=["result"]
    ),
    "wrapped as a secret": lambda a, b: step(
        old={"deep": [{"x": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(a)}}]},
        new={"deep": [{"x": {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(b)}}]},
    ),
    "named like a secret": lambda a, b: step(old={"user": {"password": a}}, new={"user": {"password": b}}),
    "a JSON document": lambda a, b: step(
        old={"secretString": json.dumps({"password": a})}, new={"secretString": json.dumps({"password": b})}
    ),
    "repeated elsewhere": lambda a, b: step(
        old={"authToken": a, "description": f"uses {a}", "policy": json.dumps({"t": a})},
        new={"authToken": b, "description": f"uses {b}", "policy": json.dumps({"t": b})},
    ),
    "within a document of a document": lambda a, b: step(
        old={"authToken": a, "policy": json.dumps({"t": json.dumps({"u": a})})},
        new={"authToken": b, "policy": json.dumps({"t": json.dumps({"u": b})})},
    ),
    "a key of a document": lambda a, b: step(
        old={"authToken": a, "policy": json.dumps({"t": {a: 1}})},
        new={"authToken": b, "policy": json.dumps({"t": {b: 2}})},
    ),
    "a name": lambda a, b: step(name=f"database {a}", old={"authToken": a, a: 1}, new={"authToken": b, a: 2}),
    "the class that is billed": lambda a, b: step(
        types="aws:elasticache/replicationGroup:ReplicationGroup",
        old={"authToken": a, "nodeType": a},
        new={"authToken": b, "nodeType": b},
    ),
}


def test_a_preview_that_cannot_be_read_still_renews_its_comment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "preview.json"
    file.write_text("")
    assert main([str(file), "--stack", "dev"]) == 2
    text = capsys.readouterr().out
    assert text.splitlines()[0] == render(preview(step())).splitlines()[0]
    assert "cannot be read" in text


@pytest.mark.parametrize("place", PLACES)
@given(secret=SECRET, other=SECRET)
def test_no_secret_of_a_preview_is_in_its_comment(place: str, secret: str, other: str) -> None:
    steps = [PLACES[place](secret, other), PLACES[place](secret, other) | {"op": "replace"}]
    errors = [{"severity": "error", "message": f"refused: {secret}"}]
    text = render(preview(*steps, diagnostics=errors))
    for hidden in (secret, other):
        spellings = {hidden, json.dumps(hidden)[1:-1], json.dumps(hidden, ensure_ascii=False)[1:-1]}
        for spelling in {*spellings, *(" ".join(each.splitlines()) for each in spellings)}:
            assert spelling not in text


@pytest.mark.parametrize("name", NAMES)
def test_no_sample_holds_anything_of_the_machine_it_was_made_on(name: str) -> None:
    text = (SAMPLES / f"{name}.json").read_text()
    assert "file://" not in text
    assert "project://" not in text
    assert "site-packages" not in text
    assert set(re.findall(r":(\d{12}):", text)) <= {"000000000000"}
