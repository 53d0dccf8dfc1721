using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Duplex.Server.Metrics;

/// <summary>
/// Collects the meters <c>Duplex</c> and <c>System.Runtime</c> and writes them in Prometheus' text format. One instance
/// per host, listening from its construction on. Series per instrument are bounded, so that labels cannot exhaust
/// memory.
/// </summary>
internal sealed class MeterExposition : IDisposable
{
    private const int SeriesMax = 5_000;
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, InstrumentSeries> _instruments = new();
    private long _dropped;

    public MeterExposition()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name is "Duplex" or "System.Runtime"
                || instrument.Meter.Name.StartsWith("Duplex.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument,
                    _instruments.GetOrAdd(instrument, static i => new InstrumentSeries(i)));
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _instruments.Remove(instrument, out InstrumentSeries? _);
        _listener.SetMeasurementEventCallback<double>(Record);
        _listener.SetMeasurementEventCallback<float>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<long>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<int>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<short>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<byte>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<decimal>((i, v, t, s) => Record(i, (double)v, t, s));
        _listener.Start();
    }

    /// <summary>Everything as it stands; observable instruments are asked first.</summary>
    public string Write()
    {
        lock (_listener)
        {
            foreach (var series in _instruments.Values)
            {
                series.ForgetObserved();
            }

            _listener.RecordObservableInstruments();
        }

        var text = new StringBuilder();
        foreach (var series in _instruments.Values.OrderBy(static s => s.Name, StringComparer.Ordinal))
        {
            series.Write(text);
        }

        text.Append("# TYPE duplex_metrics_dropped_total counter\nduplex_metrics_dropped_total ")
            .Append(Interlocked.Read(ref _dropped)).Append('\n');
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(
        Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        if (state is InstrumentSeries series && !series.Record(value, tags, SeriesMax))
        {
            Interlocked.Increment(ref _dropped);
        }
    }
}
