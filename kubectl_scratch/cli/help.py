"""Help in kubectl's form: description, examples, flags, and the usage line last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import click

from kubectl_scratch.cli.pflag import for_click
from kubectl_scratch.runtime.names import COMMAND

OPTIONS = "options"
CONNECTION_HINT = f'Use "{COMMAND} {OPTIONS}" for a list of the connection flags.'


class Example(NamedTuple):
    """One example of a verb's help: its purpose, and the words after the plugin's name."""

    purpose: str
    words: str

    @property
    def line(self) -> str:
        """Return the whole command line."""
        return f"{COMMAND} {self.words}"


class Flag(click.Option):
    """A flag; its help is used as it is, so that inspect is not imported."""

    def __init__(self, *args: Any, help: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = help


class ConnectionFlag(Flag):
    """A connection flag, listed by `options` instead of by each verb."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the flag and its help, if it is listed."""
        return super().get_help_record(ctx) if ctx.info_name == OPTIONS else None


class Verb(click.Command):
    """A verb with examples; ``takes_command`` if a command may follow ``--``."""

    def __init__(
        self,
        name: str | None = None,
        examples: Iterable[Example] = (),
        heading: str = "Other Commands",
        takes_command: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, add_help_option=False, **kwargs)
        self.params.append(_help_flag())
        self.examples = tuple(examples)
        self.heading = heading
        self.takes_command = takes_command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, in any of pflag's spellings."""
        try:
            args = for_click(args, self.get_params(ctx))
        except click.UsageError:
            # A line that is being completed may still be wrong.
            if not ctx.resilient_parsing:
                raise
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line, the flags after the names."""
        words = [piece for p in self.params for piece in p.get_usage_pieces(ctx)]
        words = [word for word in words if not word.startswith("[EXTRA]")]
        return [*words, "[flags]", *(["[-- COMMAND [ARG]...]"] if self.takes_command else [])]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        _write_text(self.help or "", formatter)
        _write_examples(self.examples, formatter)
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        flags = [record for p in options if (record := p.get_help_record(ctx))]
        if flags:
            with formatter.section("Flags"):
                formatter.write_dl(flags)
        _write_usage(self, ctx, formatter)
        if ctx.info_name != OPTIONS and any(isinstance(p, ConnectionFlag) for p in options):
            _write_text(CONNECTION_HINT, formatter)


class Verbs(click.Group):
    """Verbs, listed in groups. As for kubectl, no verb means help."""

    def __init__(
        self,
        name: str | None = None,
        examples: Iterable[Example] = (),
        heading: str = "Other Commands",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, add_help_option=False, **kwargs)
        self.params.append(_help_flag())
        self.examples = tuple(examples)
        self.heading = heading

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words before the verb."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line."""
        return ["COMMAND", "[flags]"]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        _write_text(self.help or "", formatter)
        _write_examples(self.examples, formatter)
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            if isinstance(command, (Verb, Verbs)) and not command.hidden:
                told = (name, command.short_help or "")
                groups.setdefault(command.heading, []).append(told)
        for title, verbs in groups.items():
            with formatter.section(title):
                formatter.write_dl(verbs)
        _write_usage(self, ctx, formatter)
        _write_text(
            f'Use "{ctx.command_path} COMMAND --help" for more about a command.',
            formatter,
        )


def _help_flag() -> Flag:
    def show(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
        if asked and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()

    return Flag(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show this help.",
    )


def _write_text(text: str, formatter: click.HelpFormatter) -> None:
    if formatter.getvalue():
        formatter.write_paragraph()
    formatter.write_text("\n".join(line.strip() for line in text.strip().splitlines()))


def _write_examples(examples: Iterable[Example], formatter: click.HelpFormatter) -> None:
    told = [f"  # {example.purpose}\n  {example.line}\n" for example in examples]
    if told:
        formatter.write("\nExamples:\n" + "\n".join(told))


def _write_usage(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write(f"\nUsage:\n  {ctx.command_path} {pieces}\n")
