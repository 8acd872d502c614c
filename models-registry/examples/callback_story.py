"""The story of AICallback: a contract asks, somebody answers, the contract is called back."""

from examples.dev_chain import ETHER
from examples.story import Measuring, Story, digits

FEE, CALLBACK_GAS = ETHER // 100, 200_000
KEEP, REVERT = 0, 1
"""Modes of CallbackProbe: keep what comes, or revert."""


def call_back(story: Story, measuring: Measuring) -> None:
    """Ask twice through a contract, which reverts at the second answer."""
    story.title("AICallback: who runs a model for me?")
    chain = story.chain
    callbacks = chain.deploy("anyone", "AICallback")
    consumer = chain.deploy("asker", "CallbackProbe", callbacks.address)
    images, labels = digits()
    image = images[0].tobytes()
    for number, mode in enumerate((KEEP, REVERT)):
        consumer.send("asker", "behave", mode)
        call = (measuring.int8, image, CALLBACK_GAS, chain.height + 20)
        sent = consumer.send("asker", "ask", *call, value=FEE)
        story.tell("a contract asks for a digit", sent, "fee 0.01 ether")
        wrong = callbacks.refusal("answerer", "fulfil", number, bytes(784))
        story.note("an answer to another input", outcome=wrong)
        sent = callbacks.send("answerer", "fulfil", number, image)
        is_taken = callbacks.event(sent, "Answered")[3]
        story.expect("callback", is_taken, mode == KEEP)
        story.tell("somebody answers", sent, "called back" if is_taken else "callback reverted")
    label = int.from_bytes(consumer.view("lastOutput")[:8], "big")
    story.expect("label", label, int(labels[0]))
    story.note("what the contract was told", outcome=f"the digit is a {label}")
    sent = callbacks.send("answerer", "withdraw", chain.address("answerer"))
    paid = callbacks.event(sent, "Withdrawn")[2]
    story.expect("both fees", paid, 2 * FEE)
    story.tell("the answerer withdraws both fees", sent, f"{paid / ETHER} ether")
