package export

import (
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"strconv"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/whet-k8s/whet/pipeline"
)

// WriteTraces writes a batch as a line of OTLP/JSON, as the OpenTelemetry file
// exporter does, and a collector's otlpjsonfile receiver reads. Against the
// usual JSON of protobuf ids are in hex and enumerations are numbers (OTLP
// specification, JSON protobuf encoding); integers of 64 bits are strings.
func WriteTraces(w io.Writer, data *tracepb.TracesData) error {
	if _, err := w.Write(append(appendTraces(nil, data), '\n')); err != nil {
		return fmt.Errorf("writing traces: %w", err)
	}
	return nil
}

func appendTraces(b []byte, data *tracepb.TracesData) []byte {
	b = append(b, `{"resourceSpans":`...)
	b = appendList(b, data.ResourceSpans, func(b []byte, r *tracepb.ResourceSpans) []byte {
		b = append(b, `{"resource":{"attributes":`...)
		b = appendAttributes(b, r.GetResource().GetAttributes())
		b = append(b, `},"scopeSpans":`...)
		b = appendList(b, r.ScopeSpans, appendScope)
		return appendSchema(b, r.SchemaUrl)
	})
	return append(b, '}')
}

func appendScope(b []byte, s *tracepb.ScopeSpans) []byte {
	b = append(b, `{"scope":{"name":`...)
	b = pipeline.AppendJSONString(b, s.GetScope().GetName())
	b = append(b, `},"spans":`...)
	b = appendList(b, s.Spans, appendSpan)
	return appendSchema(b, s.SchemaUrl)
}

// appendSchema ends an object with its schemaUrl.
func appendSchema(b []byte, url string) []byte {
	b = append(b, `,"schemaUrl":`...)
	return append(pipeline.AppendJSONString(b, url), '}')
}

func appendSpan(b []byte, s *tracepb.Span) []byte {
	b = append(b, `{"traceId":`...)
	b = appendID(b, s.TraceId)
	b = append(b, `,"spanId":`...)
	b = appendID(b, s.SpanId)
	if len(s.ParentSpanId) > 0 {
		b = append(b, `,"parentSpanId":`...)
		b = appendID(b, s.ParentSpanId)
	}
	b = append(b, `,"name":`...)
	b = pipeline.AppendJSONString(b, s.Name)
	b = append(b, `,"kind":`...)
	b = strconv.AppendInt(b, int64(s.Kind), 10)
	b = append(b, `,"startTimeUnixNano":`...)
	b = appendNanos(b, s.StartTimeUnixNano)
	b = append(b, `,"endTimeUnixNano":`...)
	b = appendNanos(b, s.EndTimeUnixNano)
	b = append(b, `,"attributes":`...)
	b = appendAttributes(b, s.Attributes)
	if len(s.Events) > 0 {
		b = append(b, `,"events":`...)
		b = appendList(b, s.Events, appendSpanEvent)
	}
	if len(s.Links) > 0 {
		b = append(b, `,"links":`...)
		b = appendList(b, s.Links, func(b []byte, l *tracepb.Span_Link) []byte {
			b = appendID(append(b, `{"traceId":`...), l.TraceId)
			b = appendID(append(b, `,"spanId":`...), l.SpanId)
			return append(b, '}')
		})
	}
	b = append(b, `,"status":{`...)
	if s.Status != nil {
		b = append(b, `"code":`...)
		b = strconv.AppendInt(b, int64(s.Status.Code), 10)
	}
	return append(b, "}}"...)
}

func appendSpanEvent(b []byte, ev *tracepb.Span_Event) []byte {
	b = append(b, `{"timeUnixNano":`...)
	b = appendNanos(b, ev.TimeUnixNano)
	b = append(b, `,"name":`...)
	b = pipeline.AppendJSONString(b, ev.Name)
	if len(ev.Attributes) > 0 {
		b = append(b, `,"attributes":`...)
		b = appendAttributes(b, ev.Attributes)
	}
	return append(b, '}')
}

func appendAttributes(b []byte, list []*commonpb.KeyValue) []byte {
	return appendList(b, list, func(b []byte, kv *commonpb.KeyValue) []byte {
		b = append(b, `{"key":`...)
		b = pipeline.AppendJSONString(b, kv.Key)
		b = append(b, `,"value":`...)
		return append(appendValue(b, kv.Value), '}')
	})
}

// appendValue writes the kinds of values that attributes makes.
func appendValue(b []byte, v *commonpb.AnyValue) []byte {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		b = append(b, `{"stringValue":`...)
		b = pipeline.AppendJSONString(b, v.StringValue)
	case *commonpb.AnyValue_IntValue:
		b = append(b, `{"intValue":"`...)
		b = append(strconv.AppendInt(b, v.IntValue, 10), '"')
	case *commonpb.AnyValue_DoubleValue:
		b = append(b, `{"doubleValue":`...)
		if math.IsNaN(v.DoubleValue) || math.IsInf(v.DoubleValue, 0) {
			b = append(b, '0') // JSON has no such numbers
		} else {
			b = strconv.AppendFloat(b, v.DoubleValue, 'f', -1, 64)
		}
	case *commonpb.AnyValue_ArrayValue:
		b = append(b, `{"arrayValue":{"values":`...)
		b = append(appendList(b, v.ArrayValue.Values, appendValue), '}')
	default:
		b = append(b, '{')
	}
	return append(b, '}')
}

func appendID(b, id []byte) []byte {
	return append(hex.AppendEncode(append(b, '"'), id), '"')
}

func appendNanos(b []byte, n uint64) []byte {
	return append(strconv.AppendUint(append(b, '"'), n, 10), '"')
}

func appendList[T any](b []byte, list []T, each func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = each(b, v)
	}
	return append(b, ']')
}
