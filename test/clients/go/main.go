// What openai-go does at a gateway, one line of JSON for each feature.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
)

const said = "one two three"

var (
	background = context.Background()
	gateway    = os.Args[1]
	key        = os.Args[2]
	client     = clientOf()
	messages   = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(said)}
	weather    = map[string]any{
		"type": "object",
		"properties": map[string]any{
			"city": map[string]string{"type": "string"},
			"days": map[string]string{"type": "integer"},
		},
		"required":             []string{"city", "days"},
		"additionalProperties": false,
	}
)

func main() {
	play("completions", complete)
	play("chat", func() (any, error) { return chat("sim-echo", client) })
	play("stream", func() (any, error) { return streamed(background, "sim-echo", nil) })
	play("abort", abort)
	play("tools", runTool)
	play("structured", structured)
	play("embeddings", embed)
	play("responses", respond)
	play("errors", raisedByEach)
	play("cut", cut)
	play("retries429", func() (any, error) { return chat("limited", client) })
	play("retries503", func() (any, error) { return chat("sim-flaky-2-echo", client) })
	play("inference", func() (any, error) {
		return chat("sim-echo", clientOf(option.WithBaseURL(gateway+"/inference")))
	})
}

func play(feature string, scene func() (any, error)) {
	told := map[string]any{"feature": feature}
	if seen, err := scene(); err != nil {
		told["fault"] = err.Error()
	} else {
		told["seen"] = seen
	}
	// The feature comes first, as in every other program: the keys of a map are sorted.
	line, _ := json.Marshal(told)
	fmt.Println(string(line))
}

func clientOf(more ...option.RequestOption) openai.Client {
	settings := []option.RequestOption{option.WithBaseURL(gateway + "/v1"), option.WithAPIKey(key)}
	return openai.NewClient(append(settings, more...)...)
}

func complete() (any, error) {
	completion, err := client.Completions.New(background, openai.CompletionNewParams{
		Model:  "sim-echo",
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(said)},
	})
	if err != nil {
		return nil, err
	}
	return completion.Choices[0].Text, nil
}

func chat(model string, near openai.Client) (any, error) {
	params := openai.ChatCompletionNewParams{Model: model, Messages: messages}
	answer, err := near.Chat.Completions.New(background, params)
	if err != nil {
		return nil, err
	}
	return answer.Choices[0].Message.Content, nil
}

// The pieces of a stream; leave, where there is one, is called after the second.
func streamed(leaving context.Context, model string, leave func()) ([]string, error) {
	params := openai.ChatCompletionNewParams{Model: model, Messages: messages}
	stream := client.Chat.Completions.NewStreaming(leaving, params)
	defer stream.Close()
	pieces := []string{}
	for stream.Next() {
		choices := stream.Current().Choices
		if len(choices) > 0 && choices[0].Delta.Content != "" {
			pieces = append(pieces, choices[0].Delta.Content)
		}
		if len(pieces) == 2 && leave != nil {
			leave()
		}
	}
	return pieces, stream.Err()
}

// One who leaves by a context is told so.
func abort() (any, error) {
	leaving, leave := context.WithCancel(background)
	pieces, err := streamed(leaving, "sim-stall-2-echo", leave)
	if !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("left with %w", err)
	}
	return pieces, nil
}

func runTool() (any, error) {
	tool := openai.FunctionDefinitionParam{Name: "weather", Parameters: weather}
	params := openai.ChatCompletionNewParams{
		Model:    "sim-tools-echo",
		Messages: messages,
		Tools:    []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(tool)},
	}
	first, err := accumulated(params)
	if err != nil {
		return nil, err
	}
	call := first.ToolCalls[0]
	result := openai.ToolMessage("It rains.", call.ID)
	params.Messages = append(params.Messages, first.ToParam(), result)
	second, err := client.Chat.Completions.New(background, params)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"called":   call.Function.Name,
		"input":    json.RawMessage(call.Function.Arguments),
		"answered": second.Choices[0].Message.Content,
	}, nil
}

// A stream, put together by the client's own helper.
func accumulated(params openai.ChatCompletionNewParams) (openai.ChatCompletionMessage, error) {
	stream := client.Chat.Completions.NewStreaming(background, params)
	defer stream.Close()
	whole := openai.ChatCompletionAccumulator{}
	for stream.Next() {
		if !whole.AddChunk(stream.Current()) {
			return openai.ChatCompletionMessage{}, errors.New("a chunk does not fit")
		}
	}
	if err := stream.Err(); err != nil {
		return openai.ChatCompletionMessage{}, err
	}
	return whole.Choices[0].Message, nil
}

func structured() (any, error) {
	format := openai.ResponseFormatJSONSchemaJSONSchemaParam{
		Name:   "trip",
		Schema: weather,
		Strict: openai.Bool(true),
	}
	answer, err := client.Chat.Completions.New(background, openai.ChatCompletionNewParams{
		Model: "sim-echo",
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.UserMessage(`{"city":"Paris","days":2}`),
		},
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &openai.ResponseFormatJSONSchemaParam{JSONSchema: format},
		},
	})
	if err != nil {
		return nil, err
	}
	var trip struct {
		City string `json:"city"`
		Days int    `json:"days"`
	}
	err = json.Unmarshal([]byte(answer.Choices[0].Message.Content), &trip)
	return trip, err
}

func embed() (any, error) {
	texts := []string{"first text", "second text", "third"}
	answer, err := client.Embeddings.New(background, openai.EmbeddingNewParams{
		Model: "sim-echo",
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
	})
	if err != nil {
		return nil, err
	}
	vectors := [][]float64{}
	for _, each := range answer.Data {
		vectors = append(vectors, each.Embedding)
	}
	return vectors, nil
}

func respond() (any, error) {
	stream := client.Responses.NewStreaming(background, responses.ResponseNewParams{
		Model: "sim-echo",
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(said)},
	})
	defer stream.Close()
	for stream.Next() {
		if event := stream.Current(); event.Type == "response.completed" {
			return event.Response.OutputText(), nil
		}
	}
	return nil, stream.Err()
}

func raisedByEach() (any, error) {
	failing := map[string]string{
		"400": "sim-status-400",
		"401": "sim-echo",
		"404": "sim-status-404",
		"429": "sim-ratelimit-1",
		"500": "sim-status-500",
		"503": "sim-status-503",
	}
	raised := map[string]string{}
	for status, model := range failing {
		bearer := key
		if status == "401" {
			bearer = "sk-wrong"
		}
		_, err := chat(model, clientOf(option.WithAPIKey(bearer), option.WithMaxRetries(0)))
		raised[status] = nameOf(err)
	}
	return raised, nil
}

func cut() (any, error) {
	pieces, err := streamed(background, "sim-cut-2-echo", nil)
	return map[string]any{"pieces": pieces, "raised": nameOf(err)}, nil
}

func nameOf(err error) string {
	var refused *openai.Error
	var broken *ssestream.StreamError
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("Error %d", refused.StatusCode)
	case errors.As(err, &broken):
		return "StreamError"
	default:
		return fmt.Sprint(err)
	}
}
