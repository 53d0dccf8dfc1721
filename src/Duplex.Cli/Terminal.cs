using System.Text.Json;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli;

/// <summary>Where a command writes: results to the output, everything else to the error stream.</summary>
internal sealed class Terminal
{
    private const int WidthWithoutScreen = 200;

    public Terminal(TextWriter output, TextWriter errors, TextReader input, bool screen)
    {
        Output = output;
        Input = input;
        Screen = screen;
        Out = Console(output, screen);
        Errors = Console(errors, screen);
    }

    public TextWriter Output { get; }

    public TextReader Input { get; }

    /// <summary>Whether a person looks at it as it is written.</summary>
    public bool Screen { get; }

    public IAnsiConsole Out { get; }

    public IAnsiConsole Errors { get; }

    public static Terminal Standard() => new(
        System.Console.Out, System.Console.Error, System.Console.In,
        screen: !System.Console.IsOutputRedirected && !System.Console.IsErrorRedirected);

    public void Json(object document, bool indented = true) => Output.WriteLine(
        JsonSerializer.Serialize(document, document.GetType(), indented ? DuplexJson.Indented : DuplexJson.Compact));

    private static IAnsiConsole Console(TextWriter writer, bool screen)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = screen ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = screen ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = screen ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!screen)
        {
            console.Profile.Width = WidthWithoutScreen;
        }

        return console;
    }
}
