using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Duplex.Server.Metrics;

/// <summary>The series of one instrument, by labels.</summary>
internal sealed class InstrumentSeries
{
    private static readonly double[] DefaultBounds =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);
    private readonly Kind _kind;
    private readonly string? _help;
    private readonly double[] _bounds;

    public InstrumentSeries(Instrument instrument)
    {
        _kind = KindOf(instrument);
        _help = instrument.Description;
        _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? DefaultBounds;
        Name = NameOf(instrument, _kind);
    }

    private enum Kind
    {
        Counter,
        ObservedCounter,
        UpDown,
        ObservedGauge,
        Gauge,
        Histogram,
    }

    public string Name { get; }

    /// <summary>Observed values are told anew at every collection; those not told any more must vanish.</summary>
    public void ForgetObserved()
    {
        if (_kind is Kind.ObservedCounter or Kind.ObservedGauge)
        {
            _series.Clear();
        }
    }

    /// <returns>False if the value was dropped because the instrument has too many series.</returns>
    public bool Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, int seriesMax)
    {
        var labels = Labels(tags);
        if (!_series.TryGetValue(labels, out var series))
        {
            if (_series.Count >= seriesMax)
            {
                return false;
            }

            series = _series.GetOrAdd(labels, _ => new Series(_kind == Kind.Histogram ? _bounds.Length : 0));
        }

        series.Record(value, _kind is Kind.Counter or Kind.UpDown or Kind.Histogram, _bounds);
        return true;
    }

    public void Write(StringBuilder text)
    {
        if (_series.IsEmpty)
        {
            return;
        }

        if (!string.IsNullOrEmpty(_help))
        {
            text.Append("# HELP ").Append(Name).Append(' ').Append(_help.Replace('\n', ' ')).Append('\n');
        }

        text.Append("# TYPE ").Append(Name).Append(' ').Append(TypeName()).Append('\n');
        foreach (var (labels, series) in _series.OrderBy(static s => s.Key, StringComparer.Ordinal))
        {
            if (_kind == Kind.Histogram)
            {
                WriteHistogram(text, labels, series);
            }
            else
            {
                Line(text, Name, labels, series.Sum);
            }
        }
    }

    private static Kind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().IsGenericType ? instrument.GetType().GetGenericTypeDefinition() : null;
        return type switch
        {
            _ when type == typeof(Counter<>) => Kind.Counter,
            _ when type == typeof(ObservableCounter<>) => Kind.ObservedCounter,
            _ when type == typeof(UpDownCounter<>) => Kind.UpDown,
            _ when type == typeof(Histogram<>) => Kind.Histogram,
            _ when type == typeof(Gauge<>) => Kind.Gauge,
            _ => Kind.ObservedGauge,
        };
    }

    private static string NameOf(Instrument instrument, Kind kind)
    {
        var name = new StringBuilder();
        foreach (var c in instrument.Name)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '_');
        }

        var unit = instrument.Unit switch { "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", _ => "" };
        if (unit.Length > 0 && !EndsWith(name, unit))
        {
            name.Append(unit);
        }

        if (kind is Kind.Counter or Kind.ObservedCounter && !EndsWith(name, "_total"))
        {
            name.Append("_total");
        }

        return name.ToString();
    }

    private static bool EndsWith(StringBuilder name, string suffix) =>
        name.ToString().EndsWith(suffix, StringComparison.Ordinal);

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length == 0 ? "" : ",").Append(name.Replace('.', '_')).Append("=\"");
            foreach (var c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
            {
                _ = c switch
                {
                    '\\' => text.Append("\\\\"),
                    '"' => text.Append("\\\""),
                    '\n' => text.Append("\\n"),
                    _ => text.Append(c),
                };
            }

            text.Append('"');
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private string TypeName() => _kind switch
    {
        Kind.Counter or Kind.ObservedCounter => "counter",
        Kind.Histogram => "histogram",
        _ => "gauge",
    };

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        var prefix = labels.Length == 0 ? "" : labels + ",";
        var (buckets, count, sum) = series.Read();
        var below = 0L;
        for (var i = 0; i < _bounds.Length; i++)
        {
            below += buckets[i];
            Line(text, Name + "_bucket", $"{prefix}le=\"{Number(_bounds[i])}\"", below);
        }

        Line(text, Name + "_bucket", $"{prefix}le=\"+Inf\"", count);
        Line(text, Name + "_sum", labels, sum);
        Line(text, Name + "_count", labels, count);
    }

    private sealed class Series(int buckets)
    {
        private readonly Lock _gate = new();
        private readonly long[] _buckets = new long[buckets];
        private double _sum;
        private long _count;

        public double Sum
        {
            get
            {
                lock (_gate)
                {
                    return _sum;
                }
            }
        }

        public void Record(double value, bool adds, double[] bounds)
        {
            lock (_gate)
            {
                _sum = adds ? _sum + value : value;
                _count++;
                for (var i = 0; i < _buckets.Length; i++)
                {
                    if (value <= bounds[i])
                    {
                        _buckets[i]++;
                        break;
                    }
                }
            }
        }

        public (long[] Buckets, long Count, double Sum) Read()
        {
            lock (_gate)
            {
                return ([.. _buckets], _count, _sum);
            }
        }
    }
}
