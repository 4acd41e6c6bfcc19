"""Comparing two capability dicts: what is lost, how badly, and what to do about it."""

from __future__ import annotations

import copy
import sys
from collections import OrderedDict

import pytest
import specado._core.compare as compiled
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from specado.capabilities import (
    compare_capabilities,
    get_model_capabilities,
    list_providers,
    provider,
)

BOTH = pytest.mark.parametrize(
    "compare",
    [compare_capabilities, reference.compare_capabilities],
    ids=["core", "reference"],
)


def report(source, target):
    return compare_capabilities(source, target)["lossiness_report"]


def test_the_compiled_module_is_the_one_loaded():
    assert compare_capabilities is compiled.compare_capabilities
    assert compiled.__file__.endswith((".so", ".pyd"))


@BOTH
def test_nothing_lost_reads_none_everywhere(compare):
    result = compare({}, {})

    assert result == {
        "missing_capabilities": [],
        "constrained_capabilities": [],
        "additional_capabilities": [],
        "lossiness_report": {
            "is_lossy": False,
            "severity": "None",
            "details": [],
            "recommendations": [],
            "lossiness_types": [],
        },
    }


@BOTH
@pytest.mark.parametrize(
    ("source", "missing", "kind", "severity"),
    [
        (
            {"modalities": {"input": ["Text", "Image"], "output": ["Text"]}},
            "input_Image",
            {"MissingModality": "input_Image"},
            "Critical",
        ),
        (
            {"modalities": {"output": ["Text", "Audio"]}},
            "output_Audio",
            {"MissingModality": "output_Audio"},
            "Critical",
        ),
        (
            {"features": {"function_calling": True}},
            "function_calling",
            {"MissingFeature": "function_calling"},
            "High",
        ),
        ({"features": {"tool_use": True}}, "tool_use", {"MissingFeature": "tool_use"}, "High"),
        ({"features": {"json_mode": True}}, "json_mode", {"MissingFeature": "json_mode"}, "Medium"),
        ({"features": {"vision": True}}, "vision", {"MissingFeature": "vision"}, "Medium"),
        ({"features": {"streaming": True}}, "streaming", {"MissingFeature": "streaming"}, "Low"),
        ({"features": {"citations": True}}, "citations", {"MissingFeature": "citations"}, "Low"),
        ({"roles": {"function": True}}, "function_role", {"MissingRole": "function_role"}, "Low"),
        (
            {"extensions": {"cache_control": {"min_tokens": 1024}}},
            "cache_control",
            {"MissingExtension": "cache_control"},
            "Low",
        ),
    ],
)
def test_what_the_target_lacks_is_missing(compare, source, missing, kind, severity):
    result = compare(source, {})

    assert result["missing_capabilities"] == [missing]
    assert result["lossiness_report"]["is_lossy"] is True
    assert result["lossiness_report"]["severity"] == severity
    assert result["lossiness_report"]["lossiness_types"] == [kind]
    assert len(result["lossiness_report"]["details"]) == 1
    assert len(result["lossiness_report"]["recommendations"]) == 1
    assert compare({}, source)["additional_capabilities"] == [missing]


@BOTH
def test_system_user_and_assistant_roles_are_there_unless_denied(compare):
    assert compare({"roles": {"system": True}}, {})["missing_capabilities"] == []

    result = compare({}, {"roles": {"system": False, "user": False, "assistant": None}})

    assert result["missing_capabilities"] == ["system_role", "user_role"]
    assert result["lossiness_report"]["severity"] == "Medium"
    assert compare({"roles": {"user": False}}, {})["additional_capabilities"] == ["user_role"]


@BOTH
@pytest.mark.parametrize(
    ("had", "has"), [("function_calling", "tool_use"), ("tool_use", "function_calling")]
)
def test_tools_are_one_ability_under_two_names(compare, had, has):
    result = compare({"features": {had: True, has: False}}, {"features": {has: True}})

    assert result["missing_capabilities"] == []
    assert result["additional_capabilities"] == []
    assert result["lossiness_report"]["is_lossy"] is False


@BOTH
def test_tools_lost_under_both_names_are_one_loss(compare):
    result = compare({"features": {"function_calling": True, "tool_use": True}}, {"features": {}})

    assert result["missing_capabilities"] == ["function_calling"]
    assert result["lossiness_report"]["severity"] == "High"


@BOTH
@pytest.mark.parametrize(
    ("key", "name", "severity", "kind"),
    [
        ("max_context_window", "context_window", "High", "TokenLimitExceeded"),
        ("max_output_tokens", "max_tokens", "Medium", "TokenLimitExceeded"),
    ],
)
def test_a_smaller_token_limit_constrains(compare, key, name, severity, kind):
    result = compare(
        {"constraints": {"tokens": {key: 128000}}}, {"constraints": {"tokens": {key: 8192}}}
    )

    assert result["constrained_capabilities"] == [
        {"capability": name, "source_value": 128000, "target_value": 8192, "impact": "Major"}
    ]
    assert result["lossiness_report"]["severity"] == severity
    assert result["lossiness_report"]["lossiness_types"] == [kind]
    assert result["missing_capabilities"] == []


@BOTH
@pytest.mark.parametrize(("target", "impact"), [(4096, "Minor"), (4095, "Major")])
def test_half_or_more_left_is_minor(compare, target, impact):
    result = compare(
        {"constraints": {"tokens": {"max_output_tokens": 8192}}},
        {"constraints": {"tokens": {"max_output_tokens": target}}},
    )

    assert [one["impact"] for one in result["constrained_capabilities"]] == [impact]


@BOTH
def test_the_output_limit_comes_from_the_parameter_where_no_limit_is_stated(compare):
    result = compare(
        {"parameters": {"max_tokens": {"supported": True, "min": 1, "max": 8192}}},
        {"constraints": {"tokens": {"max_output_tokens": 4096}}},
    )

    assert [one["capability"] for one in result["constrained_capabilities"]] == ["max_tokens"]
    assert result["lossiness_report"]["lossiness_types"] == ["TokenLimitExceeded"]


@BOTH
def test_both_token_limits_make_one_type(compare):
    result = compare(
        {"constraints": {"tokens": {"max_context_window": 10, "max_output_tokens": 10}}},
        {"constraints": {"tokens": {"max_context_window": 9, "max_output_tokens": 9}}},
    )

    assert result["lossiness_report"]["lossiness_types"] == ["TokenLimitExceeded"]
    assert len(result["constrained_capabilities"]) == 2


@BOTH
def test_a_lower_rate_limit_is_reduced(compare):
    result = compare(
        {"constraints": {"rate_limits": {"requests_per_minute": 500, "tokens_per_minute": 9}}},
        {"constraints": {"rate_limits": {"requests_per_minute": 50, "tokens_per_minute": 8}}},
    )

    assert [one["capability"] for one in result["constrained_capabilities"]] == [
        "requests_per_minute",
        "tokens_per_minute",
    ]
    assert result["lossiness_report"]["severity"] == "Low"
    assert result["lossiness_report"]["lossiness_types"] == ["RateLimitReduced"]


@BOTH
def test_a_narrower_range_constrains_the_parameter(compare):
    result = compare(
        {"parameters": {"temperature": {"supported": True, "min": 0.0, "max": 2.0}}},
        {"parameters": {"temperature": {"min": 0.5, "max": 1.0}}},
    )

    assert result["constrained_capabilities"] == [
        {
            "capability": "temperature",
            "source_value": {"min": 0.0, "max": 2.0},
            "target_value": {"min": 0.5, "max": 1.0},
            "impact": "Major",
        }
    ]
    assert result["lossiness_report"]["severity"] == "Medium"
    assert result["lossiness_report"]["lossiness_types"] == [
        {"ConstrainedParameter": "temperature"}
    ]
    assert result["lossiness_report"]["recommendations"] == [
        "Keep temperature at 0.5 or more.",
        "Keep temperature at 1.0 or less.",
    ]


@BOTH
def test_a_parameter_the_target_refuses_is_a_major_constraint(compare):
    taken = {"parameters": {"seed": {"supported": True}}}
    refused = {"parameters": {"seed": {"supported": False}}}

    result = compare(taken, refused)

    assert result["constrained_capabilities"] == [
        {"capability": "seed", "source_value": True, "target_value": False, "impact": "Major"}
    ]
    assert result["lossiness_report"]["severity"] == "Medium"
    assert compare(refused, taken)["additional_capabilities"] == ["seed"]


@BOTH
def test_lost_values_of_a_parameter_are_named(compare):
    result = compare(
        {"parameters": {"reasoning_effort": {"values": ["low", "high", "max"]}}},
        {"parameters": {"reasoning_effort": {"values": ["low", "high"]}}},
    )

    assert result["constrained_capabilities"][0]["impact"] == "Minor"
    assert result["lossiness_report"]["details"] == [
        "The target does not take reasoning_effort max."
    ]


@BOTH
def test_numbers_and_parameters_the_target_does_not_state_are_only_noted(compare):
    result = compare(
        {
            "parameters": {"top_k": {"min": 0}, "top_p": {"min": 0.0, "max": 1.0}},
            "constraints": {"tokens": {"max_context_window": 8192}, "rate_limits": {"rpm": 5}},
        },
        {"parameters": {"top_p": {"min": 0.0}}},
    )

    assert result["lossiness_report"]["is_lossy"] is False
    assert result["lossiness_report"]["severity"] == "None"
    assert result["lossiness_report"]["details"] == [
        "The target does not state context_window: not compared.",
        "The target does not state top_k: not compared.",
        "The target does not state top_p.max: not compared.",
        "The target does not state rpm: not compared.",
    ]
    assert result["constrained_capabilities"] == []


@BOTH
def test_what_the_source_does_not_state_is_not_noted(compare):
    target = {
        "parameters": {"top_k": {"min": 0}},
        "constraints": {"tokens": {"max_context_window": 8192}},
    }

    assert compare({"features": {}}, target)["lossiness_report"]["details"] == []


def test_the_worst_severity_counts():
    source = {
        "modalities": {"input": ["Text", "Image"]},
        "features": {"streaming": True, "function_calling": True},
    }

    assert report(source, {})["severity"] == "Critical"


@BOTH
def test_the_documented_custom_model_fits_into_gpt_4_turbo(compare):
    custom = {
        "version": "1.0.0",
        "modalities": {"input": ["Text"], "output": ["Text"]},
        "features": {
            "function_calling": True,
            "json_mode": False,
            "streaming": True,
            "vision": False,
        },
        "constraints": {"tokens": {"max_context_window": 8192, "max_output_tokens": 1024}},
    }

    result = compare(custom, get_model_capabilities("openai", "gpt-4-turbo"))

    assert result["lossiness_report"]["is_lossy"] is False
    assert {"input_Image", "json_mode", "vision"} <= set(result["additional_capabilities"])


def test_neither_side_is_changed_and_the_result_is_fresh():
    source = get_model_capabilities("openai", "gpt-5.2")
    target = get_model_capabilities("anthropic", "claude-3-opus")
    before = copy.deepcopy((source, target))

    result = compare_capabilities(source, target)
    for one in result["constrained_capabilities"]:
        if isinstance(one["source_value"], dict):
            one["source_value"].clear()

    assert (source, target) == before


@BOTH
@pytest.mark.parametrize("wrong", [None, [], "gpt-4", 1])
def test_an_argument_that_is_no_dict_is_a_type_error(compare, wrong):
    with pytest.raises(TypeError, match="source must be a dict"):
        compare(wrong, {})
    with pytest.raises(TypeError, match="target must be a dict"):
        compare({}, wrong)


MALFORMED = [
    ({"version": 1}, "version must be a str, not int"),
    ({"modalities": []}, "modalities must be a dict, not list"),
    ({"modalities": {"input": "Text"}}, "modalities.input must be a list of str, not str"),
    ({"modalities": {"output": [1]}}, "modalities.output must be a list of str, not int"),
    ({"modalities": {"configs": 1}}, "modalities.configs must be a dict, not int"),
    ({"features": {"vision": 1}}, "features.vision must be True or False, not int"),
    ({"features": {1: True}}, "features: names must be str, not int"),
    ({"parameters": {"n": 5}}, "parameters.n must be a dict, not int"),
    (
        {"parameters": {"n": {"supported": "yes"}}},
        "parameters.n.supported must be True or False, not str",
    ),
    ({"parameters": {"n": {"min": "1"}}}, "parameters.n.min must be a number, not str"),
    ({"parameters": {"n": {"max": True}}}, "parameters.n.max must be a number, not bool"),
    ({"parameters": {"n": {"max": float("nan")}}}, "parameters.n.max must be a number, not nan"),
    ({"parameters": {"n": {"max": 10**400}}}, "parameters.n.max must fit 64 bits"),
    ({"parameters": {"n": {"values": "low"}}}, "parameters.n.values must be a list of str"),
    ({"roles": {"system": "yes"}}, "roles.system must be True or False, not str"),
    ({"constraints": 1}, "constraints must be a dict, not int"),
    (
        {"constraints": {"tokens": {"max_context_window": "8k"}}},
        "constraints.tokens.max_context_window must be a number, not str",
    ),
    ({"constraints": {"rate_limits": [1]}}, "constraints.rate_limits must be a dict, not list"),
    ({"extensions": ["a"]}, "extensions must be a dict, not list"),
]


@BOTH
@pytest.mark.parametrize(("wrong", "message"), MALFORMED)
def test_a_wrong_type_inside_is_a_value_error_naming_the_field(compare, wrong, message):
    with pytest.raises(ValueError, match=f"Invalid source capability: {message}"):
        compare(wrong, {"features": 1})
    with pytest.raises(ValueError, match=f"Invalid target capability: {message}"):
        compare({}, wrong)


def test_subclasses_of_dict_are_dicts():
    source = OrderedDict(features=OrderedDict(vision=True))

    assert compare_capabilities(source, {})["missing_capabilities"] == ["vision"]


def test_huge_input_is_compared_in_time_that_grows_with_its_size():
    source = {"features": {f"feature_{n}": True for n in range(50_000)}}

    assert len(compare_capabilities(source, {})["missing_capabilities"]) == 50_000


def test_comparing_leaks_no_references():
    source = get_model_capabilities("openai", "gpt-4o")
    target = get_model_capabilities("anthropic", "claude-opus-5-5")
    compare_capabilities(source, target)
    before = sys.getrefcount(source["features"]), sys.getrefcount(target["parameters"])

    for _ in range(100):
        compare_capabilities(source, target)

    assert (sys.getrefcount(source["features"]), sys.getrefcount(target["parameters"])) == before


def test_every_pair_of_shipped_models_agrees_with_the_reference():
    ids = [(name, model) for name in list_providers() for model in provider(name).models]
    capabilities = [get_model_capabilities(*pair) for pair in ids]

    for source in capabilities:
        for target in capabilities:
            assert compare_capabilities(source, target) == reference.compare_capabilities(
                source, target
            )


def test_a_model_loses_nothing_to_itself():
    for name in list_providers():
        for model in provider(name).models:
            capability = get_model_capabilities(name, model)

            result = compare_capabilities(capability, capability)

            assert result["lossiness_report"]["is_lossy"] is False
            assert result["lossiness_report"]["details"] == []
            assert result["additional_capabilities"] == []


NUMBERS = st.one_of(
    st.none(), st.integers(-4, 10), st.floats(-4, 10), st.sampled_from([2**62, float("inf")])
)
FLAGS = st.sampled_from([True, False, None])
NAMES = st.sampled_from(["Text", "Image", "Audio", "Document"])
LEVELS = st.lists(st.sampled_from(["low", "high", "max"]))
ODD = st.sampled_from([1, "x", [], [1], {}, {1: 2}, True, None, float("nan"), 2**70, 1.5, b""])


def tables(names, values):
    return st.dictionaries(st.sampled_from(names), values, max_size=6)


def capability_dicts(wild):
    def or_odd(strategy):
        return st.one_of(strategy, ODD) if wild else st.one_of(strategy, st.none())

    flags = or_odd(FLAGS)
    number = or_odd(NUMBERS)
    parameter = st.fixed_dictionaries(
        {},
        optional={
            "supported": flags,
            "min": number,
            "max": number,
            "default": NUMBERS,
            "values": or_odd(LEVELS),
        },
    )
    features = ["function_calling", "tool_use", "json_mode", "vision", "streaming", "odd"]
    parameters = ["temperature", "max_tokens", "top_k", "reasoning_effort"]
    tokens = ["max_context_window", "max_output_tokens"]
    modalities = {"input": or_odd(st.lists(NAMES)), "output": or_odd(st.lists(NAMES))}
    modalities["configs"] = or_odd(st.just({"image": None}))
    constraints = {
        "tokens": or_odd(tables(tokens, number)),
        "rate_limits": or_odd(tables(["rpm", "tpm"], number)),
    }
    roles = ["system", "user", "assistant", "function", "tool"]
    return st.fixed_dictionaries(
        {},
        optional={
            "version": or_odd(st.just("1.0.0")),
            "modalities": or_odd(st.fixed_dictionaries({}, optional=modalities)),
            "features": or_odd(tables(features, flags)),
            "parameters": or_odd(tables(parameters, or_odd(parameter))),
            "roles": or_odd(tables(roles, flags)),
            "constraints": or_odd(st.fixed_dictionaries({}, optional=constraints)),
            "extensions": or_odd(tables(["thinking", "cache"], st.sampled_from([None, 0, True]))),
        },
    )


def outcome(compare, source, target):
    try:
        return compare(source, target)
    except Exception as error:  # noqa: BLE001
        return type(error), str(error)


@settings(max_examples=300, deadline=None)
@given(capability_dicts(wild=False), capability_dicts(wild=False))
def test_generated_pairs_agree_with_the_reference(source, target):
    assert compare_capabilities(source, target) == reference.compare_capabilities(source, target)


@settings(max_examples=300, deadline=None)
@given(capability_dicts(wild=True), capability_dicts(wild=True))
def test_malformed_pairs_fail_as_the_reference_does(source, target):
    assert outcome(compare_capabilities, source, target) == outcome(
        reference.compare_capabilities, source, target
    )
