package model

// Codes that the vendor's documents name and its headers do not.
const (
	CodeRevokeNotFound    = 20022 // a one-to-one message that is to be revoked does not exist
	CodeRevokedAlready    = 20023 // it is revoked already
	CodeEditConflict      = 20028 // the message was changed by somebody else meanwhile
	CodeTooManyAt         = 10053 // a message speaks to too many members by name
	CodeReceiptGroupSize  = 10060 // the group has too many members for receipts
	CodeReceiptOnline     = 10061 // a message that is not kept has no receipts
	CodeReceiptNotAsked   = 10062 // the message does not ask for receipts
	CodeSearchUnavailable = 60020 // searching on the server is switched off
)

// Limits of what may be done with messages.
const (
	MaxDeletes        = 50   // messages in one deletion
	MaxReceiptMembers = 200  // members of a group with receipts
	MaxAt             = 30   // members that a message speaks to by name
	MaxTargets        = 50   // members that a message is directed to
	MaxExtensions     = 300  // extensions of a message
	MaxExtensionsCall = 20   // in one call
	MaxExtensionKey   = 100  // bytes
	MaxExtensionValue = 1024 // bytes
	MaxReactions      = 10   // different reactions to a message
	MaxReactionUsers  = 100  // users of one reaction
	MaxReactionID     = 128  // bytes
	MaxReactionAsk    = 20   // messages in one question for reactions
	MaxPins           = 10   // pinned messages of a group
	MaxOptionUsers    = 30   // users in one change of receive options
	MaxMerged         = 300  // messages in a merger message
	MaxMergedLayers   = 100  // mergers inside mergers
	MaxKeywords       = 5    // of a search
	GroupRate         = 40   // messages a second in one group
)
