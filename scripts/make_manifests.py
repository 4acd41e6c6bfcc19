"""Write the shipped manifests from the tables of facts and the overlay beside this script.

    python scripts/make_manifests.py --facts model-facts.json --models-dev models-dev.json

The tables state limits, prices, dates and abilities; `model_facts.json` beside this script has
those of models that they lack, and `manifest_overlay.json` what is set by hand. The manifests of
the providers in the folder `providers` beside it need no table: without tables, only these are
written. The same input gives the same bytes, so a change in a fact is a change in the diff. The
index beside the folder of manifests is made anew from all of them.
"""

from __future__ import annotations

import argparse
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

OVERLAY = Path(__file__).with_name("manifest_overlay.json")
MORE_FACTS = Path(__file__).with_name("model_facts.json")
BY_HAND = Path(__file__).with_name("providers")
DESTINATION = Path(__file__).parent.parent / "src" / "specado" / "catalog" / "providers"
SCHEMA_VERSION = "1.0.0"
# OpenAI's dialects by the path that the table of facts names.
DIALECT_PATHS = {"/v1/chat/completions": "openai_chat", "/v1/responses": "openai_responses"}

FACTS_SOURCE = "litellm 1.106.2 model table"
FACTS_DATE = "2026-11-22"
MODELS_DEV_SOURCE = "models.dev f3fc692299"
MODELS_DEV_DATE = "2026-07-02"

# The providers of Gemini's models.
GOOGLE = ("gemini", "vertex")
# What the facts table calls the largest input, where the provider splits its context window into
# an input and an output part (272,000 + 128,000 and 922,000 + 128,000 tokens; 2026-11-22).
INPUT_ONLY_LIMITS = (272_000, 922_000)
DATED = re.compile(r"^(?P<base>.+?)-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")
PRICES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "audio_input": "input_cost_per_audio_token",
    "audio_output": "output_cost_per_audio_token",
}
MODELS_DEV_PRICES = {
    "input": "input",
    "output": "output",
    "cached_input": "cache_read",
    "cache_write": "cache_write",
}
# The prices of long prompts in the table of facts: "…_above_200k_tokens".
ABOVE = re.compile(r"(?P<price>.+)_above_(?P<thousands>\d+)k_tokens")
TRAIT_ORDER = (
    "max_tokens_parameter",
    "system_role",
    "sampling",
    "temperature_with_top_p",
    "sampling_while_reasoning",
    "penalties",
    "logprobs",
    "stop",
    "reasoning_efforts",
    "default_effort",
    "effort_parameter",
    "thinking",
    "tools_while_reasoning",
    "forced_tool_choice",
    "parallel_tool_calls",
    "strict_tools",
    "structured_output",
    "web_search",
    "mid_conversation_system",
    "assistant_prefill",
    "signed_calls",
    "media_in_tool_results",
    "schema_with_tools",
    "max_choices",
)
Row = dict[str, Any]


def matches(model_id: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(model_id, pattern) for pattern in patterns)


def row_from_facts(provider: str, model_id: str, fact: Row, known: Row, table: Row) -> Row:
    """Return a model's row: limits, prices, flags, from a table of facts and models.dev."""
    window = fact["max_input_tokens"]
    if window in INPUT_ONLY_LIMITS:
        window += fact["max_output_tokens"]
    prices = {
        name: round(fact[key] * 1e6, 6) for name, key in PRICES.items() if fact.get(key) is not None
    }
    if provider in GOOGLE:  # the tables name only a price of audio that differs from text's
        prices.setdefault("audio_input", prices["input"])
    add_long_prices(prices, fact)
    stated = "long_context" in prices
    for dearer in () if stated else known.get("cost", {}).get("tiers", ()):
        prices["long_context"] = {
            "above_tokens": dearer["tier"]["size"],
            **{
                name: float(dearer[key]) for name, key in MODELS_DEV_PRICES.items() if key in dearer
            },
        }
    add_fast_prices(prices, known)
    source = table["source"]
    if "long_context" in prices and not stated:
        source += f"; {MODELS_DEV_SOURCE}"
    flags = {key[len("supports_") :]: value for key, value in fact.items() if "supports_" in key}
    return {
        "id": model_id,
        "name": known.get("name"),
        "release_date": known.get("release_date"),
        "deprecation_date": fact.get("deprecation_date"),
        "window": window,
        "max_output": fact["max_output_tokens"],
        "prices": prices,
        "flags": flags,
        "always_thinks": fact.get("thinking_always_on"),
        "cache_min_tokens": fact.get("prompt_cache_min_tokens"),
        "dialects": dialects_of(fact),
        "source": source,
        "date": table["date"],
    }


def dialects_of(fact: Row) -> list[str] | None:
    """Return the dialects of OpenAI's in which a model is served, `None` for all."""
    paths = fact.get("supported_endpoints", DIALECT_PATHS)
    found = [dialect for path, dialect in DIALECT_PATHS.items() if path in paths]
    return None if len(found) == len(DIALECT_PATHS) else found


def add_long_prices(prices: Row, fact: Row) -> None:
    """Add the prices of long prompts that a table of facts states."""
    names = {key: name for name, key in PRICES.items() if name in MODELS_DEV_PRICES}
    for key, value in fact.items():
        found = ABOVE.fullmatch(key)
        if found is not None and found["price"] in names:
            long = prices.setdefault(
                "long_context", {"above_tokens": int(found["thousands"]) * 1000}
            )
            long[names[found["price"]]] = round(value * 1e6, 6)


def add_fast_prices(prices: Row, known: Row) -> None:
    """Add the prices of Anthropic's fast mode, in which replies say `speed: "fast"`."""
    mode = known.get("experimental", {}).get("modes", {}).get("fast", {})
    if mode.get("provider", {}).get("body") == {"speed": "fast"}:
        prices["fast"] = {
            "source": MODELS_DEV_SOURCE,
            "date": MODELS_DEV_DATE,
            **{
                name: float(mode["cost"][key])
                for name, key in MODELS_DEV_PRICES.items()
                if key in mode["cost"]
            },
        }


def row_from_models_dev(model_id: str, known: Row) -> Row:
    """Return the row of a model that only models.dev knows: one retired since."""
    inputs = known["modalities"]["input"]
    prices = {
        name: float(known["cost"][key])
        for name, key in MODELS_DEV_PRICES.items()
        if key in known["cost"]
    }
    add_fast_prices(prices, known)
    return {
        "id": model_id,
        "name": known["name"],
        "release_date": known["release_date"],
        "deprecation_date": None,
        "window": known["limit"]["context"],
        "max_output": known["limit"]["output"],
        "prices": prices,
        "flags": {
            "function_calling": known["tool_call"],
            "vision": "image" in inputs,
            "pdf_input": "pdf" in inputs,
            "prompt_caching": "cache_read" in known["cost"],
            "reasoning": known["reasoning"],
            "tool_choice": known["tool_call"],
            "assistant_prefill": True,
        },
        "always_thinks": None,
        "cache_min_tokens": None,
        "dialects": None,
        "source": MODELS_DEV_SOURCE,
        "date": MODELS_DEV_DATE,
    }


def extra_row(model_id: str, extra: Row, rows: dict[str, Row]) -> Row:
    """Return the row of a model that only the overlay knows, with the abilities of one like it."""
    like = rows[extra["like"]]
    window = extra["max_input_tokens"]
    if window in INPUT_ONLY_LIMITS:
        window += extra["max_output_tokens"]
    return {
        **like,
        "id": model_id,
        "name": extra.get("name"),
        "release_date": extra.get("release_date"),
        "deprecation_date": None,
        "window": window,
        "max_output": extra["max_output_tokens"],
        "prices": {name: extra[name] for name in PRICES if name in extra},
        "source": extra["source"],
        "date": FACTS_DATE,
    }


def gather(provider: str, overlay: Row, tables: list[Row], models_dev: Row) -> dict[str, Row]:
    """Return every model's row, aliases not yet folded, retirement dates set."""
    rows: dict[str, Row] = {}
    left_out = [pattern for rule in overlay["left_out"] for pattern in rule["match"]]
    for table in tables:
        for model_id, fact in table["models"].get(provider, {}).items():
            if dialects_of(fact) != [] and not matches(model_id, left_out):
                known = models_dev.get(model_id, {})
                rows[model_id] = row_from_facts(provider, model_id, fact, known, table)
    if provider == "anthropic":
        for model_id, known in models_dev.items():
            if model_id not in rows:
                rows[model_id] = row_from_models_dev(model_id, known)
    for model_id, extra in overlay["extra_models"].items():
        rows[model_id] = extra_row(model_id, extra, rows)
    for model_id, row in rows.items():
        if matches(model_id, overlay.get("no_last_day", {}).get("match", [])):
            row["deprecation_date"] = None
    for date, patterns in overlay["shutdown"].items():
        if date != "source":
            for model_id, row in rows.items():
                if matches(model_id, patterns):
                    row["deprecation_date"] = date
                    row["source"] += f"; {overlay['shutdown']['source']}"
    return rows


def same_terms(one: Row, other: Row) -> bool:
    """Return whether two ids name a model of the same limits, price and retirement date."""
    return all(
        one[key] == other[key] for key in ("window", "max_output", "deprecation_date")
    ) and all(
        one["prices"].get(key) == other["prices"].get(key)
        for key in ("input", "output", "cached_input")
    )


def fold_aliases(rows: dict[str, Row], by_hand: dict[str, str]) -> dict[str, Row]:
    """Return rows keyed by undated id, each with its `aliases`.

    A dated id folds into its base where both are on the same terms; else it stays its own entry.
    A base that no table lists is made from its newest dated id.
    """
    folded: dict[str, Row] = {}
    dated: list[tuple[str, str]] = []
    for model_id, row in rows.items():
        found = DATED.match(model_id)
        base = by_hand.get(model_id) or (found["base"] if found else None)
        if base is None:
            folded[model_id] = {**row, "aliases": []}
        else:
            dated.append((model_id, base))
    for model_id, base in sorted(dated, reverse=True):
        row = rows[model_id]
        if base not in folded:
            folded[base] = {**row, "id": base, "aliases": []}
        if same_terms(folded[base], row):
            folded[base]["aliases"].append(model_id)
        else:
            folded[model_id] = {**row, "aliases": []}
    for alias, base in by_hand.items():
        if alias not in rows:
            folded[base]["aliases"].append(alias)
    return folded


def display_name(model_id: str) -> str:
    """Return "GPT-6.1 Sol" for gpt-6.1-sol, "Claude Opus 5.5" for claude-opus-5-5."""
    words = model_id.split("-")
    if words[0] == "gpt" and len(words) > 1:
        rest = [word.title() if word.isalpha() else word for word in words[2:]]
        return " ".join([f"GPT-{words[1]}", *rest])
    if words[0] == "gemini":
        return " ".join(word.title() for word in words)
    if words[0] == "claude":
        number = ".".join(word for word in words if word.isdigit())
        family = [word.title() for word in words if not word.isdigit()]
        return " ".join([*family, number] if number else family)
    return model_id


def derived_traits(provider: str, row: Row) -> Row:
    """Return the traits that the table of facts states."""
    flags = row["flags"]
    traits: Row = {
        "structured_output": bool(flags.get("response_schema")),
        "strict_tools": bool(flags.get("function_calling")),
        "forced_tool_choice": bool(flags.get("tool_choice")),
        "parallel_tool_calls": bool(flags.get("function_calling")),
    }
    if provider in GOOGLE:
        sampling = flags.get("sampling_params", True)
        traits.update(sampling=sampling, temperature_with_top_p=sampling)
    if provider != "anthropic":
        return traits
    native = bool(flags.get("native_structured_output"))
    efforts = ["none", "low", "medium", "high"]
    efforts += [level for level in ("xhigh", "max") if flags.get(f"{level}_reasoning_effort")]
    thinking = "adaptive" if flags.get("adaptive_thinking") else "budget"
    if row["always_thinks"]:
        thinking = "always"
        efforts.remove("none")
    sampling = flags.get("sampling_params", True)
    traits.update(
        structured_output=native,
        strict_tools=native,
        forced_tool_choice=flags.get("forced_tool_use", True),
        sampling=sampling,
        temperature_with_top_p=sampling,
        sampling_while_reasoning=False,
        thinking=thinking,
        reasoning_efforts=efforts,
        tools_while_reasoning=True,
        effort_parameter=bool(flags.get("output_config")),
        mid_conversation_system=bool(flags.get("mid_conversation_system")),
        assistant_prefill=bool(flags.get("assistant_prefill")),
    )
    return traits


def traits_of(provider: str, row: Row, rules: list[Row]) -> tuple[Row, dict[str, Row], list[str]]:
    """Return a model's traits, those that differ in a dialect, and the sources of those by hand."""
    traits = derived_traits(provider, row)
    by_dialect: dict[str, Row] = {}
    sources = []
    for rule in rules:
        if matches(row["id"], rule["match"]):
            if "dialect" in rule:
                by_dialect.setdefault(rule["dialect"], {}).update(rule["traits"])
            else:
                traits.update(rule["traits"])
            sources.append(rule["source"])
    if row["dialects"] is not None and len(row["dialects"]) == 1:  # the only ones that count
        traits.update(by_dialect.pop(row["dialects"][0], {}))
        by_dialect = {}
    by_dialect = {name: in_order(own) for name, own in by_dialect.items()}
    return in_order(traits), by_dialect, sources


def in_order(traits: Row) -> Row:
    """Return the traits that are known, in their fixed order."""
    return {name: traits[name] for name in TRAIT_ORDER if traits.get(name) is not None}


def ranged(supported: bool | None, low: float, high: float | None, default: Any) -> Row:
    if not supported:
        return {"supported": supported}
    return {"supported": True, "min": low, "max": high, "default": default}


def parameters_of(provider: str, row: Row, traits: Row) -> Row:
    """Return the request parameters of a model, in chat completions' names and ranges.

    A parameter of which nothing is known is left out.
    """
    openai, anthropic = provider == "openai", provider == "anthropic"
    sampling, penalties = traits.get("sampling"), traits.get("penalties")
    only_responses = row["dialects"] == ["openai_responses"]
    most = 128 if openai and "search" not in row["id"] and not only_responses else 1
    most = traits.get("max_choices", most)
    parameters: Row = {
        "temperature": ranged(sampling, 0.0, 1.0 if anthropic else 2.0, 1.0),
        "top_p": ranged(sampling, 0.0, 1.0, 1.0),
        "top_k": {"supported": False} if openai else ranged(sampling, 0, None, None),
        "max_tokens": ranged(True, 1, row["max_output"], None),
        "stop": {"supported": traits.get("stop")},
        "n": ranged(most > 1, 1, most, 1),
        "seed": {"supported": not anthropic and not only_responses},
        "frequency_penalty": ranged(penalties, -2.0, 2.0, 0.0),
        "presence_penalty": ranged(penalties, -2.0, 2.0, 0.0),
        "logit_bias": {"supported": False if provider in GOOGLE else penalties},
        "logprobs": {"supported": traits.get("logprobs")},
    }
    parameters = {name: one for name, one in parameters.items() if one["supported"] is not None}
    efforts = traits.get("reasoning_efforts")
    if efforts is None:
        return parameters
    effort: Row = {"supported": bool(efforts)}
    if efforts:
        effort.update(values=efforts, default=traits.get("default_effort"))
    parameters["reasoning_effort"] = effort
    return parameters


def modalities_of(row: Row, overlay: Row) -> Row:
    by_hand = {**overlay.get("every_model", {}), **overlay["models"].get(row["id"], {})}
    flags = row["flags"]
    named = {
        "Image": flags.get("vision"),
        "Audio": flags.get("audio_input"),
        "Document": flags.get("pdf_input"),
    }
    inputs = by_hand.get("inputs") or ["Text", *(name for name, has in named.items() if has)]
    outputs = ["Text", "Audio"] if flags.get("audio_output") else ["Text"]
    if "configs" in by_hand:
        return {"input": inputs, "output": outputs, "configs": by_hand["configs"]}
    image = {"formats": ["png", "jpeg", "gif", "webp"]} if "Image" in inputs else None
    audio = {"formats": ["wav", "mp3"]} if "Audio" in inputs else None
    document = {"formats": ["pdf"]} if "Document" in inputs else None
    configs = {"image": image, "audio": audio, "video": None, "document": document}
    return {"input": inputs, "output": outputs, "configs": configs}


def extensions_of(provider: str, row: Row, traits: Row, by_hand: Row, *, caching: bool) -> Row:
    """Return what only the model's provider has."""
    openai = provider == "openai"
    flags, extensions = row["flags"], {}
    if provider == "anthropic" and caching:
        extensions["cache_control"] = {"min_tokens": row["cache_min_tokens"]}
    if not openai and traits["thinking"] != "none":
        extensions["thinking"] = {"mode": traits["thinking"], **by_hand.get("thinking", {})}
    if provider in GOOGLE and flags.get("prompt_caching"):
        extensions["cached_content"] = {"min_tokens": row["cache_min_tokens"]}
    if openai and "search" in row["id"]:
        extensions["web_search_options"] = True
    return extensions


def capabilities_of(provider: str, row: Row, traits: Row, overlay: Row) -> Row:
    """Return a model's capabilities in the documented structure."""
    flags = row["flags"]
    openai, anthropic = provider == "openai", provider == "anthropic"
    by_hand = overlay["models"].get(row["id"], {})
    tools = bool(flags.get("function_calling"))
    structured = bool(traits.get("structured_output"))
    json_mode = structured or matches(row["id"], overlay["json_mode"]["match"])
    # The table says "caching" of models that have no price for a cached token.
    caching = bool(flags.get("prompt_caching")) and "cached_input" in row["prices"]
    efforts = traits.get("reasoning_efforts")
    extensions = extensions_of(provider, row, traits, by_hand, caching=caching)
    return {
        "version": SCHEMA_VERSION,
        "modalities": modalities_of(row, overlay),
        "features": {
            "function_calling": tools,
            "tool_use": tools and anthropic,
            "json_mode": not anthropic and json_mode,
            "structured_output": structured,
            "streaming": True,
            "vision": bool(flags.get("vision")),
            "reasoning": bool(flags.get("reasoning")) if efforts is None else bool(efforts),
            "parallel_tool_calls": tools and traits.get("parallel_tool_calls") is not False,
            "prompt_caching": caching,
        },
        "parameters": parameters_of(provider, row, traits),
        "roles": {
            "system": True,
            "user": True,
            "assistant": True,
            "tool": tools,
            "function": tools and openai,
        },
        "constraints": {
            "tokens": {
                "max_context_window": row["window"],
                "max_output_tokens": row["max_output"],
            },
            "rate_limits": {"requests_per_minute": None, "tokens_per_minute": None},
        },
        "extensions": extensions,
    }


def model_entry(provider: str, row: Row, overlay: Row) -> Row:
    """Return one model's entry in the manifest."""
    by_hand = overlay["models"].get(row["id"], {})
    row = {**row, "max_output": by_hand.get("max_output_tokens", row["max_output"])}
    if matches(row["id"], overlay.get("only_chat", {}).get("match", [])):
        row["dialects"] = ["openai_chat"]
    traits, by_dialect, trait_sources = traits_of(provider, row, overlay["traits"])
    sources = [row["source"], *([by_hand["source"]] if "source" in by_hand else []), *trait_sources]
    changes = overlay.get("price_changes", {}).get(row["id"])
    if changes is not None:
        row["prices"] = {**row["prices"], "changes": changes}
    last_day = row["deprecation_date"]
    successor = None if last_day is None else overlay["successors"].get(row["id"])
    if successor is not None:
        sources.append(overlay["successors"]["source"])
    name = by_hand.get("name") or row["name"] or display_name(row["id"])
    dated = [alias for alias in row["aliases"] if DATED.match(alias)]
    return {
        "name": name.replace(" (latest)", "") if "latest" not in row["id"] else name,
        "version": by_hand.get("version") or (dated[0] if dated else row["id"]),
        "aliases": sorted(row["aliases"]),
        "general": not matches(row["id"], overlay["special"]["match"]),
        "release_date": by_hand.get("release_date") or row["release_date"],
        "deprecation_date": last_day,
        **({} if successor is None else {"successor": successor}),
        "pricing": row["prices"],
        "capabilities": capabilities_of(provider, row, traits, overlay),
        "traits": traits,
        **({"traits_by_dialect": by_dialect} if by_dialect else {}),
        **({} if row["dialects"] is None else {"dialects": row["dialects"]}),
        "source": "; ".join(dict.fromkeys("; ".join(sources).split("; "))),
        "date": row["date"],
    }


def manifest(provider: str, overlay: Row, tables: list[Row], models_dev: Row) -> Row:
    """Return one provider's whole manifest."""
    rows = fold_aliases(gather(provider, overlay, tables, models_dev), overlay["aliases"])
    models = {model_id: model_entry(provider, rows[model_id], overlay) for model_id in sorted(rows)}
    fallback_for = {key: to for key, to in overlay["fallback_for"].items() if key != "source"}
    return {**overlay["head"], "models": models, "fallback_for": fallback_for}


# The features of a model in the short form, and their names among the capabilities.
SHORT_FEATURES = {
    "tools": ("function_calling",),
    "json_mode": ("json_mode",),
    "structured_output": ("structured_output",),
    "reasoning": ("reasoning",),
    "prompt_caching": ("prompt_caching",),
}
FULL_ENTRY = (
    "version",
    "aliases",
    "general",
    "release_date",
    "deprecation_date",
    "successor",
    "pricing",
    "traits",
    "traits_by_dialect",
    "dialects",
)


def capabilities_by_hand(entry: Row) -> Row:
    """Return the capabilities that a model's entry in short form states; what it omits is unknown.

    The short form has `context_window`, `max_output_tokens`, `inputs` (modalities), and true or
    false for each of `SHORT_FEATURES`.
    """
    features = {
        name: entry[short]
        for short, names in SHORT_FEATURES.items()
        if short in entry
        for name in names
    }
    if "inputs" in entry:
        features["vision"] = "Image" in entry["inputs"]
    modalities = {"input": entry.get("inputs"), "output": entry.get("outputs", ["Text"])}
    tokens = {
        "max_context_window": entry.get("context_window"),
        "max_output_tokens": entry.get("max_output_tokens"),
    }
    tokens = {name: count for name, count in tokens.items() if count is not None}
    return {
        "version": SCHEMA_VERSION,
        **({"modalities": modalities} if "inputs" in entry else {}),
        **({"features": {**features, "streaming": True}} if features else {}),
        **({"constraints": {"tokens": tokens}} if tokens else {}),
    }


def entry_by_hand(model_id: str, entry: Row, given: Row) -> Row:
    """Return the full entry of a model in short form; source and date default to the provider's."""
    return {
        "name": entry.get("name", model_id),
        **{key: entry[key] for key in FULL_ENTRY if key in entry},
        "capabilities": entry.get("capabilities") or capabilities_by_hand(entry),
        "source": entry.get("source") or given["source"],
        "date": entry.get("date") or given["date"],
    }


def manifest_by_hand(content: Row) -> Row:
    """Return the manifest of a provider whose facts all stand in a file of the folder."""
    given = content["head"].get("verification", {}).get("models") or content["head"]["info"]
    models = content.get("models", {})
    return {
        **content["head"],
        "models": {key: entry_by_hand(key, models[key], given) for key in sorted(models)},
        "fallback_for": content.get("fallback_for", {}),
    }


def manifests_from_tables(facts: Path, models_dev: Path) -> dict[str, Row]:
    """Return the manifests, by provider, of those whose models stand in the tables."""
    overlay = json.loads(OVERLAY.read_text(encoding="utf-8"))
    rules = overlay["gemini"]["traits"] + overlay["vertex"]["traits"]
    overlay["vertex"] = {**overlay["gemini"], **overlay["vertex"], "traits": rules}
    table = {"source": FACTS_SOURCE, "date": FACTS_DATE, **json.loads(facts.read_text("utf-8"))}
    tables = [table, json.loads(MORE_FACTS.read_text(encoding="utf-8"))]
    known = json.loads(models_dev.read_text(encoding="utf-8"))["models"]
    return {
        name: manifest(name, overlay[name], tables, known.get(name, {}))
        for name in ("anthropic", "gemini", "openai", "vertex")
    }


def make_manifests(facts: Path | None, models_dev: Path | None) -> dict[str, bytes]:
    """Return the shipped manifests' bytes by file name; without the tables, those by hand."""
    made = {
        path.stem: manifest_by_hand(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(BY_HAND.glob("*.json"))
    }
    if facts is not None and models_dev is not None:
        made.update(manifests_from_tables(facts, models_dev))
    return {
        f"{name}.json": f"{json.dumps(made[name], indent=1, ensure_ascii=False)}\n".encode()
        for name in sorted(made)
    }


def make_index(manifests: dict[str, Row]) -> dict[str, bytes]:
    """Return the files of the index over all manifests, by file name.

    It answers what is asked of every provider, so that no manifest is read for it.
    """
    outlines = []
    by_model: dict[str, list[str]] = {}
    for name, content in sorted(manifests.items()):
        dialects = [each["name"] for each in content.get("dialects", ())] or [content["dialect"]]
        hosts_others = content.get("hosts_others", "cloud" in content["endpoints"])
        outlines.append(
            {
                "name": name,
                "base_url": content["endpoints"]["base_url"],
                "dialects": dialects,
                "authentication": content["authentication"],
                "ids_have_slashes": content.get("ids_have_slashes", False),
                "hosts_others": hosts_others,
            }
        )
        for model_id, entry in content["models"].items():
            for each in (model_id, *entry.get("aliases", ())):
                by_model.setdefault(each, []).append(name)
    # One line for each provider or model: a change in a fact is a change in the diff.
    listed = ",\n".join(json.dumps(each) for each in outlines)
    ids = ",\n".join(
        f"{json.dumps(model_id)}: {json.dumps(by_model[model_id])}" for model_id in sorted(by_model)
    )
    return {
        "provider_index.json": f"[\n{listed}\n]\n".encode(),
        "model_index.json": f"{{\n{ids}\n}}\n".encode(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--facts", type=Path, help="limits, prices and abilities")
    parser.add_argument("--models-dev", type=Path, help="names and release dates")
    parser.add_argument("--to", type=Path, default=DESTINATION, help="folder to write to")
    arguments = parser.parse_args()
    if (arguments.facts is None) != (arguments.models_dev is None):
        parser.error("--facts and --models-dev go together")
    for name, content in make_manifests(arguments.facts, arguments.models_dev).items():
        (arguments.to / name).write_bytes(content)
    manifests = {path.stem: json.loads(path.read_bytes()) for path in arguments.to.glob("*.json")}
    for name, content in make_index(manifests).items():
        (arguments.to.parent / name).write_bytes(content)


if __name__ == "__main__":
    main()
