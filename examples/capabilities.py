"""Choosing a model by what it can do, and seeing what a move to another one loses."""

import specado

NEEDS = {
    "modalities": {"input": ["Text", "Image"]},
    "features": {"function_calling": True},
    "constraints": {"tokens": {"max_context_window": 500_000}},
}


def fitting_models() -> list:
    """Return (dollars per million tokens in, provider, model) of current models, cheapest first."""
    found = []
    for provider in specado.list_providers():
        for model_id, model in specado.get_manifest(provider)["models"].items():
            if model["status"] != "current" or not model.get("general"):
                continue
            price = model.get("pricing", {}).get("input")  # a manifest may not know it
            comparison = specado.compare_capabilities(NEEDS, model["capabilities"])
            if price is not None and not comparison["lossiness_report"]["is_lossy"]:
                found.append((price, provider, model_id))
    return sorted(found)


def main() -> None:
    print("Images, tools and a context of 500,000 tokens:")
    for price, provider, model_id in fitting_models()[:5]:
        print(f"  {price:6.2f} $  {provider}/{model_id}")

    source = specado.get_model_capabilities("openai", "gpt-5.4")
    target = specado.get_model_capabilities("anthropic", "claude-opus-5-5")
    report = specado.compare_capabilities(source, target)["lossiness_report"]
    print(f"\nFrom gpt-5.4 to claude-opus-5-5 ({report['severity']}):")
    for detail in report["details"]:
        print(f"  {detail}")


if __name__ == "__main__":
    main()
