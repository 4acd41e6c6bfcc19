"""Many calls at once on one event loop, with a bound on how many are under way.

Needs no key: `simulate` has specado answer from its simulator, whatever keys there are.
"""

import asyncio
import time

import specado

QUESTIONS = [f"What is {number} times {number}?" for number in range(200)]
AT_ONCE = 50


async def main() -> None:
    client = specado.AsyncClient({"timeout_seconds": 60, "simulate": True})
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(question: str) -> specado.ChatCompletionResponse:
        async with places:
            return await client.chat.completions.create(model="gpt-5.4", messages=question)

    started_s = time.perf_counter()
    outcomes = await asyncio.gather(*map(ask, QUESTIONS), return_exceptions=True)
    taken_s = time.perf_counter() - started_s

    answers = [each for each in outcomes if isinstance(each, specado.ChatCompletionResponse)]
    failures = [each for each in outcomes if isinstance(each, specado.ProviderError)]
    mistakes = [each for each in outcomes if each not in answers and each not in failures]
    for mistake in mistakes:
        raise mistake

    tokens = sum(answer.usage.total_tokens for answer in answers if answer.usage)
    print(f"answers   {len(answers)} of {len(QUESTIONS)} in {taken_s:.2f} s")
    print(f"failures  {len(failures)}")
    print(f"tokens    {tokens}")
    print(f"the last  {answers[-1].choices[0].message.content}")


if __name__ == "__main__":
    asyncio.run(main())
