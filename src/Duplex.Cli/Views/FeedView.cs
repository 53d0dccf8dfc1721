using System.Globalization;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Views;

/// <summary>Records of a feed.</summary>
internal static class FeedView
{
    private const int DataMax = 100;

    public static void Write(IAnsiConsole console, FeedPage page)
    {
        if (page.Records.Count > 0)
        {
            var table = new Table().Border(TableBorder.Simple)
                .AddColumns("offset", "stored", "table", "operation", "key", "status", "data");
            foreach (var record in page.Records)
            {
                table.AddRow(
                    record.Offset.ToString(CultureInfo.InvariantCulture), Markup.Escape(record.CreatedAt),
                    Markup.Escape(record.Table), Markup.Escape(record.Operation),
                    Markup.Escape(record.Key?.GetRawText() ?? ""), Markup.Escape(Status(record)),
                    Markup.Escape(Shorten(record.TransformedData?.GetRawText() ?? "")));
            }

            console.Write(table);
        }

        console.Write(new Markup(Markup.Escape(page.LastOffset < page.FirstOffset
            ? $"The feed of {page.Customer} is empty.\n"
            : $"{page.Customer} has offsets {page.FirstOffset} to {page.LastOffset}"
                + (page.NextOffset < page.LastOffset ? $"; --offset {page.NextOffset} goes on.\n" : ".\n"))));
    }

    /// <summary>One record on a line of its own.</summary>
    public static string Line(FeedRecordDocument record) =>
        $"{record.Offset} {record.CreatedAt} {record.Table} {record.Operation} {record.Key?.GetRawText()} "
        + $"{record.TransformedData?.GetRawText()}";

    private static string Status(FeedRecordDocument record) => record.Attempts == 0
        ? record.Status
        : $"{record.Status} ({record.Attempts}){(record.ErrorMessage is null ? "" : $": {Shorten(record.ErrorMessage)}")}";

    private static string Shorten(string text) => text.Length <= DataMax ? text : text[..(DataMax - 1)] + "…";
}
