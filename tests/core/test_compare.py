"""Comparison of two capability dicts: losses, severities, recommendations."""

from __future__ import annotations

import copy
import json
import sys
from collections import OrderedDict

import pytest
import specado._core.compare as compiled
from hypothesis import given
from hypothesis import strategies as st

import reference
from specado.catalog.lookup import (
    compare_capabilities,
    get_manifest,
    get_model_capabilities,
    list_providers,
    provider,
)
from specado.dialects.registration import register_manifest

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
    ({"extensions": {"custom": []}}, "extensions.custom must be a dict, not list"),
    ({"extensions": {"custom": {1: 2}}}, "extensions.custom: names must be str, not int"),
    (
        {"extensions": {"experimental": {"a": True}}},
        "extensions.experimental must be a list of str, not dict",
    ),
    ({"extensions": {"experimental": [1]}}, "extensions.experimental must be a list of str, not"),
    ({"roles": {"custom_roles": True}}, "roles.custom_roles must be a list of str, not bool"),
    ({"roles": {"custom_roles": [None]}}, "roles.custom_roles must be a list of str, not NoneType"),
    ({"modalities": {"configs": {"image": 5}}}, "modalities.configs.image must be a dict, not int"),
    (
        {"constraints": {"tokens": {"encoding": 5}}},
        "constraints.tokens.encoding must be a str, not int",
    ),
    (
        {"constraints": {"rate_limits": {"max_concurrent_requests": "5"}}},
        "constraints.rate_limits.max_concurrent_requests must be a number, not str",
    ),
    ({"constraints": {"messages": []}}, "constraints.messages must be a dict, not list"),
    (
        {"constraints": {"messages": {"allow_empty_messages": 1}}},
        "constraints.messages.allow_empty_messages must be True or False, not int",
    ),
    (
        {"constraints": {"messages": {"max_message_length": True}}},
        "constraints.messages.max_message_length must be a number, not bool",
    ),
    (
        {"constraints": {"timeouts": {"stream_timeout_seconds": "60"}}},
        "constraints.timeouts.stream_timeout_seconds must be a number, not str",
    ),
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


def test_every_pair_of_shipped_makers_models_agrees_with_the_reference():
    found = [
        get_model_capabilities(name, model)
        for name in ("openai", "anthropic", "gemini")
        for model in provider(name).models
    ]
    capabilities = list({json.dumps(each, sort_keys=True): each for each in found}.values())

    for source in capabilities:
        for target in capabilities:
            assert compare_capabilities(source, target) == reference.compare_capabilities(
                source, target
            )


def test_every_shipped_model_agrees_with_the_reference():
    target = get_model_capabilities("anthropic", "claude-opus-5")

    for name in list_providers():
        for model in provider(name).models:
            source = get_model_capabilities(name, model)

            for pair in ((source, target), (target, source)):
                assert compare_capabilities(*pair) == reference.compare_capabilities(*pair)


def test_a_model_loses_nothing_to_itself():
    for name in list_providers():
        for model in provider(name).models:
            capability = get_model_capabilities(name, model)

            result = compare_capabilities(capability, capability)

            assert result["lossiness_report"]["is_lossy"] is False
            assert result["lossiness_report"]["details"] == []
            assert result["additional_capabilities"] == []


# The whole structure, as other systems write it.
WHOLE = {
    "version": "1.0.0",
    "modalities": {
        "input": ["Text", "Image"],
        "output": ["Text"],
        "configs": {"image": None, "audio": None, "video": None, "document": None},
    },
    "features": {
        "function_calling": True,
        "json_mode": True,
        "streaming": True,
        "logprobs": False,
        "multiple_responses": False,
        "stop_sequences": True,
        "seed_support": False,
        "tool_use": False,
        "vision": True,
    },
    "parameters": {
        name: {"supported": True, "min": 0.0, "max": 2.0, "default": None}
        for name in (
            "temperature",
            "top_p",
            "top_k",
            "max_tokens",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
        )
    },
    "roles": {
        "system": True,
        "user": True,
        "assistant": True,
        "function": False,
        "tool": False,
        "custom_roles": [],
    },
    "constraints": {
        "tokens": {
            "max_context_window": 128000,
            "max_input_tokens": None,
            "max_output_tokens": 4096,
            "max_tokens_per_message": None,
            "encoding": None,
        },
        "rate_limits": {
            "requests_per_minute": 500,
            "requests_per_hour": None,
            "requests_per_day": None,
            "tokens_per_minute": 80000,
            "tokens_per_hour": None,
            "tokens_per_day": None,
            "max_concurrent_requests": None,
        },
        "messages": {
            "max_messages_per_conversation": None,
            "max_message_length": None,
            "min_messages_required": 1,
            "max_system_message_length": None,
            "allow_empty_messages": False,
            "allow_consecutive_same_role": False,
        },
        "timeouts": {
            "max_request_timeout_seconds": 60,
            "default_timeout_seconds": 30,
            "stream_timeout_seconds": 60,
            "connection_timeout_seconds": 10,
        },
    },
    "extensions": {"custom": {}, "experimental": []},
}


@BOTH
def test_the_whole_structure_is_taken(compare):
    result = compare(WHOLE, WHOLE)

    assert result == compare({}, {})


@BOTH
def test_the_whole_structure_compares_with_shipped_models(compare):
    result = compare(WHOLE, get_model_capabilities("openai", "gpt-4o"))

    assert result["missing_capabilities"] == []
    assert [one["capability"] for one in result["constrained_capabilities"]] == [
        "top_p",
        "top_k",
        "max_tokens",
    ]
    assert (
        "The target does not state min_messages_required: not compared."
        in (result["lossiness_report"]["details"])
    )


@BOTH
def test_custom_roles_are_roles(compare):
    source = {"roles": {"critic": True, "custom_roles": ["critic", "narrator"]}}

    result = compare(source, {"roles": {"critic": True}})

    assert result["missing_capabilities"] == ["narrator_role"]
    assert result["lossiness_report"]["severity"] == "Low"
    assert result["lossiness_report"]["lossiness_types"] == [{"MissingRole": "narrator_role"}]
    assert compare({}, source)["additional_capabilities"] == ["critic_role", "narrator_role"]
    assert compare(source, {"roles": {"critic": True, "narrator": True}}) == compare({}, {})
    assert compare({"roles": {"narrator": True}}, source)["missing_capabilities"] == []


@BOTH
def test_a_custom_role_grants_a_usual_one(compare):
    target = {"roles": {"system": False, "custom_roles": ["system"]}}

    assert compare({}, target)["missing_capabilities"] == []


@BOTH
def test_extensions_count_wherever_they_stand(compare):
    source = {"extensions": {"a": {"x": 1}, "custom": {"b": 0, "c": None}, "experimental": ["d"]}}

    result = compare(source, {"extensions": {"custom": None, "experimental": ["a"]}})

    assert result["missing_capabilities"] == ["b", "d"]
    assert result["lossiness_report"]["severity"] == "Low"
    assert result["lossiness_report"]["lossiness_types"] == [
        {"MissingExtension": "b"},
        {"MissingExtension": "d"},
    ]
    assert compare({}, source)["additional_capabilities"] == ["a", "b", "d"]


@BOTH
@pytest.mark.parametrize(
    ("section", "name", "had", "has", "impact"),
    [
        ("messages", "max_messages_per_conversation", 100, 50, "Minor"),
        ("messages", "max_message_length", 100, 49, "Major"),
        ("messages", "max_system_message_length", 100, 99, "Minor"),
        ("messages", "min_messages_required", 1, 2, "Minor"),
        ("messages", "min_messages_required", 1, 3, "Major"),
        ("messages", "allow_empty_messages", True, False, "Major"),
        ("messages", "allow_consecutive_same_role", True, False, "Major"),
        ("timeouts", "max_request_timeout_seconds", 600, 60, "Major"),
        ("timeouts", "default_timeout_seconds", 30, 20.5, "Minor"),
        ("timeouts", "stream_timeout_seconds", 60, 30, "Minor"),
        ("timeouts", "connection_timeout_seconds", 10, 1, "Major"),
    ],
)
def test_narrower_limits_of_messages_and_times_constrain(compare, section, name, had, has, impact):
    source, target = ({"constraints": {section: {name: value}}} for value in (had, has))

    result = compare(source, target)

    assert result["constrained_capabilities"] == [
        {"capability": name, "source_value": had, "target_value": has, "impact": impact}
    ]
    assert result["lossiness_report"]["severity"] == "Low"
    assert result["lossiness_report"]["lossiness_types"] == [{"ConstrainedParameter": name}]
    assert len(result["lossiness_report"]["recommendations"]) == 1
    assert compare(target, source)["lossiness_report"]["is_lossy"] is False


@BOTH
@pytest.mark.parametrize("name", ["max_input_tokens", "max_tokens_per_message"])
def test_smaller_limits_of_input_are_token_limits(compare, name):
    result = compare(
        {"constraints": {"tokens": {name: 100}}}, {"constraints": {"tokens": {name: 40}}}
    )

    assert result["constrained_capabilities"] == [
        {"capability": name, "source_value": 100, "target_value": 40, "impact": "Major"}
    ]
    assert result["lossiness_report"]["severity"] == "Low"
    assert result["lossiness_report"]["lossiness_types"] == ["TokenLimitExceeded"]


@BOTH
def test_other_encodings_and_configs_are_noted(compare):
    result = compare(
        {
            "modalities": {"configs": {"image": {"formats": ["png"]}, "audio": {"rate": 1}}},
            "constraints": {"tokens": {"encoding": "o200k_base"}},
        },
        {
            "modalities": {"configs": {"image": {"formats": ["gif"]}, "audio": None}},
            "constraints": {"tokens": {"encoding": "cl100k_base"}},
        },
    )

    assert result["lossiness_report"]["is_lossy"] is False
    assert result["lossiness_report"]["details"] == [
        "The configs of image differ: not compared.",
        (
            "The target counts tokens in cl100k_base, the source in o200k_base: "
            "the numbers are not alike."
        ),
    ]


@BOTH
@pytest.mark.parametrize(
    ("feature", "parameter"),
    [
        ("logprobs", "logprobs"),
        ("multiple_responses", "n"),
        ("stop_sequences", "stop"),
        ("seed_support", "seed"),
    ],
)
def test_a_feature_may_be_stated_as_a_parameter(compare, feature, parameter):
    source = {"features": {feature: True}}
    target = {"parameters": {parameter: {"supported": True}}}
    without = {"parameters": {parameter: {"supported": False}}}

    assert compare(source, target)["missing_capabilities"] == []
    assert compare(target, source)["additional_capabilities"] == []
    assert compare(source, without)["missing_capabilities"] == [feature]
    assert compare(source, {**target, "features": {feature: False}})["missing_capabilities"] == [
        feature
    ]


@BOTH
def test_one_choice_is_not_several(compare):
    result = compare(
        {"features": {"multiple_responses": True}}, {"parameters": {"n": {"min": 1, "max": 1}}}
    )

    assert result["missing_capabilities"] == ["multiple_responses"]


@BOTH
def test_unknown_keys_are_ignored_and_noted(compare):
    capability = {
        "model_family": "gpt",
        "absent": None,
        "modalities": {"embedding": ["Text"], "configs": {"smell": 1}},
        "features": {"max_images": 20},
        "parameters": {"temperature": {"step": 0.1, "default": 1}, "style": "vivid"},
        "roles": {"narrator": {"since": 2026}},
        "constraints": {
            "cost": 1,
            "tokens": {"max_thinking": "8k"},
            "rate_limits": {"burst": "high"},
            "messages": {"max_images": 3},
            "timeouts": {"idle": 5},
        },
    }
    paths = [
        "modalities.configs.smell",
        "modalities.embedding",
        "features.max_images",
        "parameters.temperature.step",
        "parameters.style",
        "roles.narrator",
        "constraints.tokens.max_thinking",
        "constraints.rate_limits.burst",
        "constraints.messages.max_images",
        "constraints.timeouts.idle",
        "constraints.cost",
        "model_family",
    ]

    result = compare(capability, {})
    other = compare({}, capability)

    assert result["lossiness_report"]["is_lossy"] is False
    assert result["lossiness_report"]["details"] == [
        "The target does not state temperature: not compared.",
        *(f"The source's {path} is an unknown key: ignored." for path in paths),
    ]
    assert other["lossiness_report"]["details"] == [
        f"The target's {path} is an unknown key: ignored." for path in paths
    ]


def test_a_manifest_with_the_whole_structure_is_taken_and_given_back():
    register_manifest(
        {"name": "given", "base_url": "http://127.0.0.1:1/v1", "models": {"m": whole_model()}}
    )

    found = get_model_capabilities("given", "m")

    assert found == WHOLE
    assert compare_capabilities(found, WHOLE)["lossiness_report"]["is_lossy"] is False
    assert get_manifest("given")["models"]["m"]["capabilities"] == WHOLE


def whole_model():
    return {"capabilities": copy.deepcopy(WHOLE)}


def test_what_manifests_give_back_is_compared():
    for name in list_providers():
        for model_id, model in get_manifest(name)["models"].items():
            found = get_model_capabilities(name, model_id)

            assert found == model["capabilities"]
            assert compare_capabilities(model["capabilities"], found)["lossiness_report"] == {
                "is_lossy": False,
                "severity": "None",
                "details": [],
                "recommendations": [],
                "lossiness_types": [],
            }


NUMBERS = st.one_of(
    st.none(), st.integers(-4, 10), st.floats(-4, 10), st.sampled_from([2**62, float("inf")])
)
FLAGS = st.sampled_from([True, False, None])
NAMES = st.sampled_from(["Text", "Image", "Audio", "Document"])
LEVELS = st.lists(st.sampled_from(["low", "high", "max"]))
ODD = st.sampled_from([1, "x", [], [1], {}, {1: 2}, True, None, float("nan"), 2**70, 1.5, b""])
ODD_VALUES = st.sampled_from([1, "x", [1], {"a": None}, True, None, 1.5])
PRESENCE = st.sampled_from([None, False, 0, True, {"min_tokens": 1}])


def tables(names, values):
    return st.dictionaries(st.sampled_from(names), values, max_size=6)


def structure(or_odd):
    """Return a strategy for dicts of the whole structure; *or_odd* widens each value's."""
    flags = or_odd(FLAGS)
    number = or_odd(NUMBERS)
    parameter = {
        "supported": flags,
        "min": number,
        "max": number,
        "default": NUMBERS,
        "values": or_odd(LEVELS),
        "step": ODD_VALUES,
    }
    parameter = st.fixed_dictionaries({}, optional=parameter)
    features = ["function_calling", "tool_use", "json_mode", "vision", "streaming", "odd"]
    features += ["logprobs", "multiple_responses", "stop_sequences", "seed_support"]
    parameters = ["temperature", "max_tokens", "top_k", "reasoning_effort"]
    parameters += ["n", "seed", "stop", "odd"]
    tokens = ["max_context_window", "max_output_tokens", "max_input_tokens"]
    modalities = {"input": or_odd(st.lists(NAMES)), "output": or_odd(st.lists(NAMES))}
    config = or_odd(st.sampled_from([None, {}, {"formats": ["png"]}]))
    modalities["configs"] = or_odd(tables(["image", "audio", "odd"], config))
    messages = {
        "min_messages_required": number,
        "max_message_length": number,
        "allow_empty_messages": flags,
        "odd": ODD_VALUES,
    }
    constraints = {
        "tokens": or_odd(
            st.fixed_dictionaries(
                {},
                optional={
                    **dict.fromkeys(tokens, number),
                    "encoding": or_odd(st.sampled_from(["a", "b"])),
                    "odd": ODD_VALUES,
                },
            )
        ),
        "rate_limits": or_odd(tables(["requests_per_minute", "rpm"], number)),
        "messages": or_odd(st.fixed_dictionaries({}, optional=messages)),
        "timeouts": or_odd(tables(["stream_timeout_seconds", "odd"], number)),
        "odd": ODD_VALUES,
    }
    roles = dict.fromkeys(("system", "user", "assistant", "function", "tool", "odd"), flags)
    roles["custom_roles"] = or_odd(st.lists(st.sampled_from(["tool", "narrator", "user"])))
    extensions = {
        "thinking": PRESENCE,
        "cache": PRESENCE,
        "custom": or_odd(tables(["thinking", "mine"], PRESENCE)),
        "experimental": or_odd(st.lists(st.sampled_from(["thinking", "trial"]))),
    }
    return st.fixed_dictionaries(
        {},
        optional={
            "version": or_odd(st.just("1.0.0")),
            "modalities": or_odd(st.fixed_dictionaries({}, optional=modalities)),
            "features": or_odd(tables(features, flags)),
            "parameters": or_odd(tables(parameters, or_odd(parameter))),
            "roles": or_odd(st.fixed_dictionaries({}, optional=roles)),
            "constraints": or_odd(st.fixed_dictionaries({}, optional=constraints)),
            "extensions": or_odd(st.fixed_dictionaries({}, optional=extensions)),
            "odd": ODD_VALUES,
        },
    )


def or_none(strategy):
    return st.one_of(strategy, st.none())


GOOD = structure(or_none)
WILD = structure(lambda strategy: st.one_of(strategy, ODD))


def outcome(compare, source, target):
    try:
        return compare(source, target)
    except Exception as error:  # noqa: BLE001
        return type(error), str(error)


@given(GOOD, GOOD)
def test_generated_pairs_agree_with_the_reference(source, target):
    assert compare_capabilities(source, target) == reference.compare_capabilities(source, target)


@given(WILD, WILD)
def test_malformed_pairs_fail_as_the_reference_does(source, target):
    assert outcome(compare_capabilities, source, target) == outcome(
        reference.compare_capabilities, source, target
    )


# What a target can lose, by where it stands: the value that is there, and what is left of it.
LOSSES = [
    *((("features", name), True, False) for name in WHOLE["features"]),
    *((("features", name), True, None) for name in ("tool_use", "vision", "odd")),
    *((("roles", name), value, False) for name in ("system", "tool") for value in (True, None)),
    *((("parameters", name, "supported"), True, False) for name in ("top_k", "n", "seed", "stop")),
    (("constraints", "tokens", "max_context_window"), 8, 2),
    (("constraints", "tokens", "max_output_tokens"), 8, 2),
    (("constraints", "rate_limits", "rpm"), 8, 2),
    (("constraints", "messages", "max_message_length"), 8, 2),
    (("constraints", "messages", "min_messages_required"), 1, 9),
    (("constraints", "messages", "allow_empty_messages"), True, False),
    (("constraints", "timeouts", "stream_timeout_seconds"), 8, 2),
    (("extensions", "thinking"), {"a": 1}, None),
    (("extensions", "custom", "mine"), 0, False),
    (("extensions", "experimental"), ["trial", "thinking"], ["thinking"]),
    (("roles", "custom_roles"), ["narrator", "tool"], ["tool"]),
    (("modalities", "input"), ["Text", "Image"], ["Text"]),
    (("modalities", "output"), ["Text", "Audio"], []),
]
SEVERITIES = ["None", "Low", "Medium", "High", "Critical"]


def with_value(capability, path, value):
    found = copy.deepcopy(capability)
    inner = found
    for key in path[:-1]:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    inner[path[-1]] = value
    return found


@given(GOOD)
def test_any_capability_compares_with_itself_without_a_loss(capability):
    result = compare_capabilities(capability, copy.deepcopy(capability))

    assert result["lossiness_report"]["is_lossy"] is False
    assert result["missing_capabilities"] == result["constrained_capabilities"] == []
    assert result["additional_capabilities"] == []


@given(GOOD, GOOD, st.sampled_from(LOSSES))
def test_what_a_target_loses_never_makes_it_less_lossy(source, target, loss):
    path, had, left = loss

    before = compare_capabilities(source, with_value(target, path, had))
    after = compare_capabilities(source, with_value(target, path, left))

    assert set(before["missing_capabilities"]) <= set(after["missing_capabilities"])
    severities = [SEVERITIES.index(r["lossiness_report"]["severity"]) for r in (before, after)]
    assert severities == sorted(severities)
